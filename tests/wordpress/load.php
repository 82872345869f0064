<?php
// Loads the WordPress in the folder named first, as its administrator.
$_SERVER['HTTP_HOST']       = 'www.example.org';
$_SERVER['REQUEST_METHOD']  = 'GET';
$_SERVER['REQUEST_URI']     = '/';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
require $argv[1] . '/wp-load.php';
if ( ! wp_installing() ) {
	wp_set_current_user( 1 );
}
kses_remove_filters();
