# Texts of the room “digest”.
digest-subject = 【{ $site }】{ $title }
digest-subject-more = 【{ $site }】{ $title }（ほか{ $count }件）
digest-heading = 新着のお知らせ
digest-read-more = 続きを読む
digest-read-more-of = 続きを読む：{ $title }
digest-left-out = ほかに{ $count }件の新しい記事をサイトでご覧いただけます。
digest-category-separator = 、
digest-meta = { $date }{"　"}{ $categories }
digest-read-more-at = 続きを読む：
archive-title = これまでにお送りしたメール
archive-intro = ご登録の皆さまにお送りした内容です（個人用のリンクは除いています）。
archive-empty = まだメールをお送りしていません。
archive-older = 以前のメール
archive-subscribe = メールで受け取る
