# Texts of the room “notice”.
notice-translations-subject = 翻译情况：{ $missing } 篇未公开，{ $older } 篇需要更新
notice-translations-opening = 在最近十二个月的文章中，以下文章还没有以本站的所有语言公开，或者在翻译之后原文又有改动。
notice-translations-language = { $language }：{ $count } 篇
notice-translations-missing = - { $file }（{ $date }）：还没有译文。
notice-translations-begun = - { $file }（{ $date }）：译文尚未公开。
notice-translations-older = - { $file }：原文于 { $date } 有改动。
notice-translations-left-out = - 另有 { $count } 篇
notice-translations-how = 请把译文保存在原文旁边，例如 report.md 旁边的 report.ja.md。如果译文不需要修改，请在它的文件中把“updated”写成今天的日期，它就会被视为最新。
notice-translations-more-at = 这封邮件每月发送一次。包括较早文章在内的完整清单，请用以下命令查看：clarion translations
preview-mail-subject = 草稿预览
preview-mail-subject-several = { $count } 篇草稿的预览
preview-mail-opening = 有文章已保存但尚未公开。您可以在这里看到它公开后的样子。
preview-mail-draft = 草稿
preview-mail-scheduled = 将于 { $time } 公开
preview-mail-left-out = 另有 { $count } 篇，可以用以下命令索取链接：clarion content preview 文件
preview-mail-button = 查看预览
preview-mail-closing = 此链接始终显示最后保存的版本，三十天内有效。持有链接的人都能看到草稿，转交时请谨慎。
