SELECT shop FROM bronze_shops
