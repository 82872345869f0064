# Texts of the room “subscription”.

# The form
subscribe-heading = 通过邮件订阅
subscribe-opening = { $site }有消息时会写信给您：新闻、报告，以及您可以参与的请愿。完全免费，绝不会比您选择的频率更频繁。
address-label = 您的邮箱地址
address-mistake = 这看起来不像邮箱地址。请按 name@example.org 的格式填写。
leave-empty = 此栏请留空
one-button-more = 就快完成了：请核对下面的内容，再按一次按钮。
topics-legend = 您想阅读的主题
topics-hint = 请勾选您感兴趣的主题。如果一个也不勾选，您会收到全部内容。
topics-everything = 全部
topics-unknown = 您原来选择的主题在这里已不存在。请从下面选择。
topic-petitions = 请愿
languages-legend = 您的语言
languages-hint = 每篇文章只发送一次，按以下顺序采用最先找到的语言，绝不会用您没有选择的语言发送。
languages-first = 首选
languages-next = 其次
languages-none = 不指定
rhythm-legend = 接收频率
rhythm-each = 每篇文章发布后立即发送
rhythm-daily = 每天最多一次
rhythm-weekly = 每周一次
rhythm-monthly = 每月一次
# Whoever changes this changes CONSENT_TEXT_VERSION too.
consent-text = 按下按钮，即表示我同意{ $site }保存我的邮箱地址和以上选择，并据此给我发送邮件。我的地址会加密保存，不会提供给任何人；没有人会追踪我是否打开邮件、点击了什么。我可以随时一键退订，并让全部信息被清除。
subscribe-button = 订阅
subscribe-already = 已经订阅了吗？
subscribe-sent-heading = 请查收邮件
subscribe-sent-text = 我们已向您填写的地址发送了邮件。请打开那封邮件，点击其中的链接，订阅才会开始。如果十分钟后仍未收到，请查看垃圾邮件，并检查地址是否填写正确。

# Confirming
confirm-heading = 最后点击一次
confirm-opening = 您即将订阅{ $site }的邮件。您的选择如下：
confirm-button = 是的，我要订阅
confirm-hint = 如果不是您本人申请，或者您改变了主意，关闭本页即可，您不会收到任何邮件。
confirmed-heading = 欢迎您，谢谢
confirmed-text = 您对{ $site }的订阅已经开始。有新内容时，您会收到下一封邮件。
confirmed-already-heading = 您已经确认过了
confirmed-already-text = 一切正常：这份订阅此前已经确认，没有任何变化。
confirm-expired-heading = 链接已过期
confirm-expired-text = 确认链接的有效期为三天。请再申请一次订阅，新的链接会发到您的邮箱。
link-broken-heading = 这个链接不完整
link-broken-text = 有些邮件程序会把长链接截成两段。请从邮件中复制完整的链接，粘贴到地址栏，或者申请一个新的链接。

# Choices
preferences-heading = 更改订阅设置
preferences-opening = 请填写您接收我们邮件的地址。我们会把打开订阅设置的链接发到那里，这样别人就无法查看或更改您的设置。
preferences-send = 把链接发给我
preferences-sent-heading = 请查收邮件
preferences-sent-text = 如果我们这里有这个地址，链接很快就会送达。链接在半小时内有效。
preferences-expired-heading = 链接已过期
preferences-expired-text = 为了您的安全，订阅设置的链接只在半小时内有效。您可以马上获取新的链接。
choices-heading = 订阅设置
choices-opening = 这是您目前接收的内容。您可以随意更改，不会遗漏文章，也不会重复收到。
choices-not-subscribed = 您目前没有订阅，我们不会给您发送邮件。
choices-save = 保存
choices-leave-text = 您将不再收到我们的邮件。欢迎您随时回来。
choices-gone-heading = 这里没有订阅
choices-gone-text = 这份订阅已经结束，或者已被清除。欢迎您重新订阅。
streams-legend = 我们可以发送的内容
streams-both = 新闻和请愿
streams-news = 只要新闻
streams-petitions = 只要请愿
saved-heading = 已保存
saved-text = 从下一封邮件起，按您的新设置发送。
erase-heading = 清除我的信息
erase-text = 我们会永久清除您的邮箱地址和您的全部选择。如果您以后想再收到我们的消息，需要重新订阅。
erase-button = 清除我的全部信息
erased-heading = 已清除
erased-text = 您的邮箱地址和选择已从我们的记录中清除。感谢您一直以来的陪伴。

# Leaving
leave-heading = 退订
leave-opening = 您不想再收到{ $site }的邮件了吗？点击一次即可。
leave-legend = 停止发送的内容
leave-everything = 全部
leave-petitions = 只停止请愿
leave-news = 只停止新闻
leave-button = 停止发送
leave-hint = 也可以减少频率，或更换主题。
left-heading = 您已退订
left-text = { $site }不会再给您发送邮件。感谢您一直以来的陪伴。如果是误操作，随时欢迎您回来。
left-petitions-heading = 已停止发送请愿
left-petitions-text = { $site }不会再给您发送请愿。新闻仍会照常发送。
left-news-heading = 已停止发送新闻
left-news-text = { $site }不会再给您发送新闻。请愿仍会照常发送。

# Ways on
to-subscribe = 订阅
to-subscribe-again = 重新订阅
to-preferences = 更改订阅设置
to-choices = 返回订阅设置
to-articles = 阅读最新文章

# Mails
mail-confirm-subject = 请确认订阅：{ $site }
mail-confirm-heading = 请确认订阅
mail-confirm-opening = 有人申请用这个地址接收{ $site }的邮件，我们希望那就是您。请打开链接，并按下那里的按钮，订阅就会开始。
mail-confirm-button = 确认订阅
mail-confirm-by-mail = 如果无法打开页面，请向以下地址发送一封空白邮件：
mail-confirm-closing = 链接的有效期为三天。如果不是您本人申请，请忽略这封邮件，您不会再收到任何邮件。
mail-already-subject = 您已经订阅了{ $site }
mail-already-heading = 您已经订阅了
mail-already-opening = 有人（也许就是您）申请用这个地址订阅{ $site }。这个地址早已订阅，没有任何变化。打开这个链接，可以查看并更改您接收的内容。
mail-already-button = 查看订阅设置
mail-already-closing = 链接在半小时内有效。如果不是您本人申请，也不需要做任何事。
mail-choices-subject = 您在{ $site }的订阅设置
mail-choices-heading = 订阅设置
mail-choices-opening = 打开这个链接，可以查看您从{ $site }接收的内容，也可以更改设置、退订，或清除全部信息。
mail-choices-button = 查看订阅设置
mail-choices-closing = 链接在半小时内有效。如果您没有申请，也不需要做任何事。

# To staff
notice-several = Clarion 的 { $count } 条通知
notice-opening = 请您知悉以下情况：
