# Texts of the room “digest”.
digest-subject = 【{ $site }】{ $title }
digest-subject-more = 【{ $site }】{ $title }（還有 { $count } 篇）
digest-heading = 新文章
digest-read-more = 閱讀全文
digest-read-more-of = 閱讀全文：{ $title }
digest-left-out = 還有 { $count } 篇新文章，請到網站上閱讀。
digest-category-separator = 、
digest-meta = { $date } · { $categories }
digest-read-more-at = 閱讀全文：
archive-title = 歷次寄出的信
archive-intro = 以下是訂閱者收到的內容，其中的個人連結已經拿掉。
archive-empty = 還沒有寄出過信。
archive-older = 更早的信
archive-subscribe = 用電子郵件收到這些內容
