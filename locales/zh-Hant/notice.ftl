# Texts of the room “notice”.
notice-translations-subject = 翻譯情況：{ $missing } 篇未公開，{ $older } 篇需要更新
notice-translations-opening = 在最近十二個月的文章中，以下文章還沒有以本站的所有語言公開，或是在翻譯之後原文又有更動。
notice-translations-language = { $language }：{ $count } 篇
notice-translations-missing = - { $file }（{ $date }）：還沒有譯文。
notice-translations-begun = - { $file }（{ $date }）：譯文尚未公開。
notice-translations-older = - { $file }：原文於 { $date } 有更動。
notice-translations-left-out = - 另有 { $count } 篇
notice-translations-how = 請把譯文存放在原文旁邊，例如 report.md 旁邊的 report.ja.md。如果譯文不需要修改，請在它的檔案中把「updated」寫成今天的日期，它就會被視為最新。
notice-translations-more-at = 這封信每月寄送一次。包括較早文章在內的完整清單，請用以下指令查看：clarion translations
preview-mail-subject = 草稿預覽
preview-mail-subject-several = { $count } 篇草稿的預覽
preview-mail-opening = 有文章已儲存但尚未公開。您可以在這裡看到它公開後的樣子。
preview-mail-draft = 草稿
preview-mail-scheduled = 將於 { $time } 公開
preview-mail-left-out = 另有 { $count } 篇，可以用以下指令索取連結：clarion content preview 檔案
preview-mail-button = 查看預覽
preview-mail-closing = 此連結一律顯示最後儲存的版本，三十天內有效。持有連結的人都能看到草稿，轉交時請謹慎。
