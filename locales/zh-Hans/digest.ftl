# Texts of the room “digest”.
digest-subject = 【{ $site }】{ $title }
digest-subject-more = 【{ $site }】{ $title }（另有 { $count } 篇）
digest-heading = 新文章
digest-read-more = 阅读全文
digest-read-more-of = 阅读全文：{ $title }
digest-left-out = 另有 { $count } 篇新文章，请到网站上阅读。
digest-category-separator = 、
digest-meta = { $date } · { $categories }
digest-read-more-at = 阅读全文：
archive-title = 已发送的邮件
archive-intro = 这里是订阅者收到的内容，其中的个人链接已去除。
archive-empty = 还没有发送过邮件。
archive-older = 更早的邮件
archive-subscribe = 通过邮件接收
