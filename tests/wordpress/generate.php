<?php
// Fills a site with posts, the same ones for the same number: php generate.php SITE POSTS
// Every kind of thing that twenty years of WordPress leave behind is there several times.
require __DIR__ . '/load.php';
require_once ABSPATH . 'wp-admin/includes/image.php';
require_once ABSPATH . 'wp-admin/includes/media.php';
require_once ABSPATH . 'wp-admin/includes/file.php';
require_once ABSPATH . 'wp-admin/includes/taxonomy.php';
mt_srand( 20 );
$count = (int) ( $argv[2] ?? 360 );

const ENGLISH = array(
	'The boat left before the tide turned.', 'Nobody in the village asked where they had come from.', 'She kept the letters in a tin under the floor.',
	'A warm meal costs less than you would think.', 'We wrote to the ministry and waited.', 'The school opened with eleven children and one stove.',
	'What helps most is that somebody reads this.', 'The road over the pass is closed until April.', 'They call it a shelter, though it is only a kitchen.',
	'Our volunteers met on Saturday & planned the winter.', 'Thank you to everyone who sent blankets.', 'The interpreter wept, then went on.',
);
const JAPANESE = array(
	'潮が変わる前に舟は出ました。', '村では、どこから来たのかと尋ねる人はいませんでした。', '彼女は手紙を床下の缶にしまっていました。',
	'温かい食事は、思うほど高くありません。', '私たちは役所に手紙を書き、待ちました。', '学校は十一人の子どもと一つの暖炉で始まりました。',
	'誰かが読んでくださることが、何よりの助けです。', '峠の道は四月まで閉ざされています。', '避難所と呼ばれていますが、台所が一つあるだけです。',
	'土曜日に集まり、「冬の支度」を相談しました。', '毛布を送ってくださった皆様に感謝いたします。', '通訳の方は涙を流し、それから続けました。',
);

function pick( array $from ) {
	return $from[ mt_rand( 0, count( $from ) - 1 ) ];
}
function paragraph( $ja ) {
	$said = array();
	for ( $n = mt_rand( 2, 5 ); $n > 0; $n-- ) {
		$said[] = pick( $ja ? JAPANESE : ENGLISH );
	}
	return implode( $ja ? '' : ' ', $said );
}
function term( $taxonomy, $name, $slug, $parent = 0, $description = '' ) {
	$made = wp_insert_term( $name, $taxonomy, array( 'slug' => $slug, 'parent' => $parent, 'description' => $description ) );
	if ( is_wp_error( $made ) ) {
		fwrite( STDERR, "$name: " . $made->get_error_message() . "\n" );
		exit( 1 );
	}
	return $made['term_id'];
}
function upload( $name, $bytes, $type, $title, $caption = '', $date = '2011/07' ) {
	$folder = WP_CONTENT_DIR . "/uploads/$date";
	wp_mkdir_p( $folder );
	file_put_contents( "$folder/$name", $bytes );
	$id = wp_insert_attachment( array( 'post_title' => $title, 'post_excerpt' => $caption, 'post_mime_type' => $type, 'post_status' => 'inherit', 'post_date' => str_replace( '/', '-', $date ) . '-02 10:00:00', 'guid' => WP_SITEURL . "/wp-content/uploads/$date/$name" ), "$folder/$name" );
	wp_update_attachment_metadata( $id, wp_generate_attachment_metadata( $id, "$folder/$name" ) );
	return $id;
}
function picture( $number, $kind ) {
	$image = imagecreatetruecolor( 480, 320 );
	imagefilledrectangle( $image, 0, 0, 480, 320, imagecolorallocate( $image, $number * 37 % 256, $number * 91 % 256, 160 ) );
	imagefilledellipse( $image, 240, 160, 40 + $number * 11 % 200, 120, imagecolorallocate( $image, 240, 240, $number * 53 % 256 ) );
	ob_start();
	'png' === $kind ? imagepng( $image ) : imagejpeg( $image, null, 60 );
	return ob_get_clean();
}

// People, categories in three levels, tags.
$authors = array( 1 );
foreach ( array( array( 'hana', 'Hana Mori' ), array( 'editor2', '森 花' ), array( 'k.lee', 'K. Lee & friends' ) ) as list( $login, $name ) ) {
	$authors[] = wp_insert_user( array( 'user_login' => $login, 'user_pass' => wp_generate_password(), 'user_email' => "$login@example.org", 'display_name' => $name, 'role' => 'editor' ) );
}
wp_update_user( array( 'ID' => 1, 'display_name' => 'The office' ) );
$news      = term( 'category', 'News', 'news', 0, 'What happened, & what we did about it.' );
$people    = term( 'category', 'People & Places', 'people-places' );
$villages  = term( 'category', 'Villages', 'villages', $people );
$far       = term( 'category', 'Far Villages', 'far-villages', $villages );
$ja_news   = term( 'category', 'お知らせ', 'お知らせ' );
$ja_people = term( 'category', '人と土地', 'people-ja', 0, '出会った人々のこと。' );
$ja_far    = term( 'category', '遠い村', '遠い村', $ja_people );
$english   = array( array( $news ), array( $people ), array( $villages, $news ), array( $far ), array( $news, $people ) );
$japanese  = array( array( $ja_news ), array( $ja_people ), array( $ja_far, $ja_news ) );
$tags      = array( array( 'winter', 'Food & fuel', 'letters' ), array( '冬', '食べもの', '手紙' ) );
$lang_en   = term( 'language', 'English', 'en' );
$lang_ja   = term( 'language', '日本語', 'ja' );
foreach ( array( array( $news, $ja_news ), array( $people, $ja_people ), array( $far, $ja_far ) ) as list( $en, $ja ) ) {
	term( 'term_translations', uniqid( 'pll_', true ), "pll_terms_$en", 0, serialize( array( 'en' => $en, 'ja' => $ja ) ) );
}

// Files.
$pictures = array();
for ( $n = 1; $n <= ( $count < 100 ? 4 : 24 ); $n++ ) {
	$kind       = 0 === $n % 3 ? 'png' : 'jpg';
	$name       = 0 === $n % 8 ? "写真-$n.$kind" : "harbour-$n.$kind";
	$pictures[] = upload( $name, picture( $n, $kind ), 'png' === $kind ? 'image/png' : 'image/jpeg', "Harbour $n", 0 === $n % 2 ? "The harbour, <em>morning</em> $n" : '', 0 === $n % 5 ? '2019/12' : '2011/07' );
}
$pdf   = upload( 'report-2011.pdf', "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n", 'application/pdf', 'Report 2011' );
$audio = upload( 'talk.mp3', "ID3\x03\x00\x00\x00\x00\x00\x00" . str_repeat( "\xff\xfb\x90\x00" . str_repeat( "\x00", 413 ), 6 ), 'audio/mpeg', 'A talk' );
$video = upload( 'walk.mp4', "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", 'video/mp4', 'A walk' );

function image( $id, $size = 'medium', $class = '' ) {
	list( $url, $width, $height ) = wp_get_attachment_image_src( $id, $size );
	return "<img class=\"$class size-$size wp-image-$id\" title=\"harbour\" src=\"$url\" alt=\"The harbour\" width=\"$width\" height=\"$height\" />";
}
function body( $kind, $ja, array $earlier ) {
	global $pictures, $pdf, $audio, $video;
	$p       = fn() => paragraph( $ja );
	$picture = pick( $pictures );
	$other   = pick( $pictures );
	$full    = wp_get_attachment_url( $picture );
	switch ( $kind ) {
		case 0:
			return $p() . "\n\n" . $p() . "\n" . $p() . "\n\n<strong>" . $p() . "</strong>\n\n\n" . $p();
		case 1:
			return "[caption id=\"attachment_$picture\" align=\"alignleft\" width=\"300\"]<a href=\"$full\">" . image( $picture, 'medium', 'alignnone' ) . '</a> ' . $p() . "[/caption]\r\n\r\n" . $p() . "\r\n\r\n" . image( $other, 'full', 'aligncenter' ) . "\r\n" . $p();
		case 2:
			return $p() . "\n\n[gallery ids=\"$picture,$other\" columns=\"2\" link=\"file\"]\n\n" . $p();
		case 3:
			return "<!-- wp:paragraph -->\n<p>" . $p() . "</p>\n<!-- /wp:paragraph -->\n\n<!-- wp:heading {\"level\":3} -->\n<h3 id=\"part\">" . pick( $ja ? JAPANESE : ENGLISH ) . "</h3>\n<!-- /wp:heading -->\n\n<!-- wp:image {\"id\":$picture,\"sizeSlug\":\"large\"} -->\n<figure class=\"wp-block-image size-large\"><img src=\"$full\" alt=\"\" class=\"wp-image-$picture\"/><figcaption>" . $p() . "</figcaption></figure>\n<!-- /wp:image -->\n\n<!-- wp:list -->\n<ul><li>" . $p() . '</li><li>' . $p() . "</li></ul>\n<!-- /wp:list -->\n\n<!-- wp:quote -->\n<blockquote class=\"wp-block-quote\"><p>" . $p() . "</p><cite>K. Lee</cite></blockquote>\n<!-- /wp:quote -->";
		case 4:
			return "<!-- wp:gallery {\"linkTo\":\"none\"} -->\n<figure class=\"wp-block-gallery has-nested-images columns-default is-cropped\"><!-- wp:image {\"id\":$picture} -->\n<figure class=\"wp-block-image size-large\"><img src=\"$full\" alt=\"\" class=\"wp-image-$picture\"/></figure>\n<!-- /wp:image --></figure>\n<!-- /wp:gallery -->\n\n<!-- wp:embed {\"url\":\"https://www.youtube.com/watch?v=abcDEF12345\",\"type\":\"video\",\"providerNameSlug\":\"youtube\"} -->\n<figure class=\"wp-block-embed is-type-video is-provider-youtube\"><div class=\"wp-block-embed__wrapper\">\nhttps://www.youtube.com/watch?v=abcDEF12345\n</div></figure>\n<!-- /wp:embed -->\n\n<!-- wp:latest-posts {\"postsToShow\":3} /-->\n\n" . $p() . "\n\n" . $p();
		case 5:
			return $p() . "\n\nhttps://www.youtube.com/watch?v=xyz-XYZ_123\n\n" . $p() . "\n\n[youtube https://www.youtube.com/watch?v=qrs456QRS45]\n\n[embed width=\"500\"]https://vimeo.com/123456[/embed]\n\nhttps://example.org/a-page-that-nobody-embeds\n\n[youtube id=\"tuv789TUV78\"]";
		case 6:
			return $p() . "\n\n[audio mp3=\"" . wp_get_attachment_url( $audio ) . "\"][/audio]\n\n" . $p();
		case 7:
			return $p() . ' <a href="' . wp_get_attachment_url( $pdf ) . '">' . ( $ja ? '報告書（PDF）' : 'The report (PDF)' ) . "</a>\n\n[video width=\"640\" height=\"360\" mp4=\"" . wp_get_attachment_url( $video ) . "\"][/video]";
		case 8:
			return $p() . " \u{1f54a}\u{fe0f} \x0b" . $p() . "\x01\n\n" . "a\x08b \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} ]]> c";
		case 9:
			return "<h2>" . $p() . "</h2>\n" . $p() . "\n<ul>\n<li>" . $p() . "</li>\n<li>" . $p() . "\n<ul>\n<li>" . $p() . "</li>\n</ul>\n</li>\n</ul>\n" . $p() . "<br>\n" . $p();
		case 10:
			return "<blockquote>" . $p() . "\n\n" . $p() . "</blockquote>\n<pre>one\n\n  two &lt;b&gt;\n</pre>\n<table>\n<tbody>\n<tr>\n<td>" . $p() . "</td>\n<td>2</td>\n</tr>\n</tbody>\n</table>\n<div style=\"text-align: center;\">" . $p() . "\n\n" . $p() . "</div>\n<hr />\n" . $p();
		case 11:
			return $p() . "\n\n[contact-form-7 id=\"12\" title=\"Write to us\"]\n\n[[gallery]] is how a gallery is written. [1] is a footnote.\n\n[su_note]" . $p() . "[/su_note]";
		case 12:
			$links = implode( ' ', array_map( fn( $id ) => '<a href="' . ( $id % 2 ? get_permalink( $id ) : home_url( "/?p=$id" ) ) . '">' . $id . '</a>', array_slice( $earlier, -2 ) ) );
			return $p() . "\n\n<!--more-->\n\n" . $p() . " $links\n\n<!--nextpage-->\n\n" . $p() . "\n\n<script>document.write('x');\n\nvar a = 1;</script>\n\n<iframe src=\"https://www.youtube.com/embed/abc_DEF-123\" width=\"420\"></iframe>";
		case 13:
			return '<p style="text-align: right;">' . $p() . "</p>\n" . $p() . "\n<p>" . $p() . "\n\n" . $p() . '</p>' . "\n" . '<em>' . $p() . "\n\n" . $p() . '</em>';
		case 14:
			return "<!-- wp:file {\"id\":$pdf} -->\n<div class=\"wp-block-file\"><a id=\"wp-block-file--media-1\" href=\"" . wp_get_attachment_url( $pdf ) . "\">Report 2011</a><a href=\"" . wp_get_attachment_url( $pdf ) . "\" class=\"wp-block-file__button wp-element-button\" download aria-describedby=\"wp-block-file--media-1\">Download</a></div>\n<!-- /wp:file -->\n\n<!-- wp:shortcode -->\n[gallery ids=\"$picture\"]\n<!-- /wp:shortcode -->\n\n<!-- wp:columns -->\n<div class=\"wp-block-columns\"><!-- wp:column -->\n<div class=\"wp-block-column\"><!-- wp:paragraph -->\n<p>" . $p() . "</p>\n<!-- /wp:paragraph --></div>\n<!-- /wp:column --></div>\n<!-- /wp:columns -->";
		default:
			return $p() . "\n\n[gallery]\n\n" . $p();
	}
}

$made   = array( array(), array() );
$titles = array( array( 'Letters from the coast', 'A kitchen in winter', 'Eleven children', 'What the ministry said', 'Over the pass' ), array( '海辺からの手紙', '冬の台所', '十一人の子どもたち', '役所の返事', '峠を越えて' ) );
for ( $i = 0; $i < $count; $i++ ) {
	$ja     = $i % 2;
	$kind   = intdiv( $i, 2 ) % 16;
	$time   = gmmktime( 1, 30, 0, 3, 1, 2005 ) + (int) ( $i * 19.5 * 365.25 * 86400 / $count ) + mt_rand( 0, 20000 ) * 7;
	$title  = pick( $titles[ $ja ] ) . ' ' . ( $i + 1 );
	$slug   = $ja ? "$title" : sanitize_title( $title );
	if ( 8 === $kind ) {
		$title .= " \u{1f30a}";
	}
	if ( 9 === $kind ) {
		$slug = $ja ? str_repeat( '海辺からの手紙', 4 ) . $i : str_repeat( 'a-very-long-name-', 11 ) . $i;
	}
	if ( 13 === $kind ) {
		$title = $ja ? "「<em>峠</em>」& <b>その先</b> ]]> $i" : "R&amp;D, \"quotes\" &amp; 3 &lt; 4 – it's <i>$i</i>";
	}
	$post = array(
		'post_title'        => $title,
		'post_name'         => $slug,
		'post_content'      => body( $kind, $ja, $made[ $ja ] ),
		'post_excerpt'      => 0 === $i % 5 ? '<p>' . paragraph( $ja ) . '</p>' : '',
		'post_date'         => gmdate( 'Y-m-d H:i:s', $time + 9 * 3600 ),
		'post_date_gmt'     => gmdate( 'Y-m-d H:i:s', $time ),
		'post_status'       => 'publish',
		'post_author'       => pick( $authors ),
		'post_category'     => pick( $ja ? $japanese : $english ),
		'tags_input'        => 0 === $i % 3 ? array( pick( $tags[ $ja ] ), pick( $tags[ $ja ] ) ) : array(),
		'comment_status'    => 'open',
	);
	// Sites that were moved, renamed or merged keep the ids they had.
	if ( 0 === $i % 7 ) {
		$post['guid'] = "http://old.example.org/2009/%e6%97%a5%e6%9c%ac-$i/";
	} elseif ( 0 === $i % 11 ) {
		$post['guid'] = "http://www.example.org/?p=$i&#038;lang=ja";
	}
	switch ( $i % 40 ) {
		case 33: $post['post_status'] = 'draft'; $post['post_date_gmt'] = '0000-00-00 00:00:00'; break;
		case 34: $post['post_status'] = 'private'; break;
		case 35: $post['post_password'] = 'secret'; break;
		case 36: $post['post_status'] = 'future'; $post['post_date'] = '2049-01-01 09:00:00'; $post['post_date_gmt'] = '2049-01-01 00:00:00'; break;
		case 37: $post['post_status'] = 'pending'; break;
	}
	$id = wp_insert_post( wp_slash( $post ), true );
	if ( is_wp_error( $id ) ) {
		fwrite( STDERR, "$title: " . $id->get_error_message() . "\n" );
		exit( 1 );
	}
	if ( 38 === $i % 40 ) {
		wp_trash_post( $id );
	}
	$made[ $ja ][] = $id;
	wp_set_object_terms( $id, $ja ? $lang_ja : $lang_en, 'language' );
	if ( $ja && 1 === $i % 3 ) {
		$group = term( 'post_translations', "pll_$i", "pll_$i", 0, serialize( array( 'en' => end( $made[0] ), 'ja' => $id ) ) );
		wp_set_object_terms( $id, $group, 'post_translations' );
		wp_set_object_terms( end( $made[0] ), $group, 'post_translations' );
	}
	if ( 6 === $kind ) {
		$url = wp_get_attachment_url( $audio );
		add_post_meta( $id, 'enclosure', "$url\n2512\naudio/mpeg\n" );
	}
	if ( 14 === $kind || 0 === $i % 9 ) {
		set_post_thumbnail( $id, pick( $pictures ) );
	}
	if ( 15 === $kind ) {
		wp_update_post( array( 'ID' => pick( $pictures ), 'post_parent' => $id ) );
	}
	if ( 0 === $i % 45 ) {
		add_post_meta( $id, 'custom_permalink', "2011-07-center-$i.htm" );
	}
	if ( 0 === $i % 4 ) {
		wp_insert_comment( array( 'comment_post_ID' => $id, 'comment_author' => 'A reader', 'comment_author_email' => 'reader@example.org', 'comment_content' => paragraph( $ja ), 'comment_approved' => 1, 'comment_date' => '2020-01-01 10:00:00' ) );
	}
	// WordPress sets the date of change to today; a real site's lie near the posts'.
	$changed = 0 === $i % 6 ? $time + 86400 * 30 : $time;
	$wpdb->update( $wpdb->posts, array( 'post_modified_gmt' => gmdate( 'Y-m-d H:i:s', $changed ), 'post_modified' => gmdate( 'Y-m-d H:i:s', $changed + 9 * 3600 ) ), array( 'ID' => $id ) );
}

// A post in two languages at once, as qTranslate wrote them, and one that WPML's export marks.
$both = wp_insert_post( wp_slash( array( 'post_title' => '[:en]Both at once[:ja]両方いっぺんに[:]', 'post_name' => 'both-at-once', 'post_content' => "[:en]In English.\n\nTwo paragraphs.[:ja]日本語です。\n\n二段落。[:]", 'post_status' => 'publish', 'post_date' => '2012-05-05 12:00:00', 'post_category' => array( $news ) ) ) );
$wpml = wp_insert_post( wp_slash( array( 'post_title' => 'もう一つの海辺', 'post_name' => 'another-coast', 'post_content' => '本文。', 'post_status' => 'publish', 'post_date' => '2012-05-06 12:00:00', 'post_category' => array( $ja_news ) ) ) );
add_post_meta( $wpml, '_wpml_import_language_code', 'ja' );
add_post_meta( $wpml, '_wpml_import_translation_group', '77' );
// Two posts of one name in one month, and pages below each other.
foreach ( array( 1, 2 ) as $n ) {
	wp_insert_post( array( 'post_title' => "A day at sea $n", 'post_name' => 'a-day-at-sea', 'post_content' => "Day $n.", 'post_status' => 'publish', 'post_date' => "2013-08-0$n 12:00:00" ) );
}
$about = wp_insert_post( array( 'post_type' => 'page', 'post_title' => 'About us', 'post_name' => 'about', 'post_content' => "Who we are.\n\nWhere we are.", 'post_status' => 'publish', 'post_date' => '2005-01-01 12:00:00' ) );
wp_insert_post( array( 'post_type' => 'page', 'post_title' => 'The team', 'post_name' => 'team', 'post_parent' => $about, 'post_content' => 'Five of us.', 'post_status' => 'publish', 'post_date' => '2005-01-02 12:00:00' ) );
wp_insert_post( array( 'post_type' => 'page', 'post_title' => 'Not ready', 'post_content' => 'Later.', 'post_status' => 'draft' ) );
wp_insert_post( array( 'post_type' => 'wp_block', 'post_title' => 'Please give', 'post_content' => "<!-- wp:paragraph -->\n<p>Please give.</p>\n<!-- /wp:paragraph -->", 'post_status' => 'publish' ) );
fwrite( STDERR, "$count posts are written\n" );
