# Texts of the room “notice”.
notice-translations-subject = 翻訳の状況：未公開{ $missing }件、要更新{ $older }件
notice-translations-opening = この12か月の記事のうち、まだ公開されていない言語があるもの、または翻訳後に原文が変更されたものは次のとおりです。
notice-translations-language = { $language }：{ $count }件
notice-translations-missing = - { $file }（{ $date }）：翻訳がまだありません。
notice-translations-begun = - { $file }（{ $date }）：翻訳はまだ公開されていません。
notice-translations-older = - { $file }：{ $date }に原文が変更されました。
notice-translations-left-out = - ほか{ $count }件
notice-translations-how = 翻訳は、原文と同じ場所に保存してください（例：report.mdの隣にreport.ja.md）。翻訳を直す必要がない場合は、そのファイルの「updated」に今日の日付を書いてください。最新の翻訳として扱われます。
notice-translations-more-at = このメールは月に1回お送りしています。古い記事も含めた一覧は、次のコマンドで表示できます。clarion translations
preview-mail-subject = 下書きのプレビュー
preview-mail-subject-several = 下書き{ $count }件のプレビュー
preview-mail-opening = まだ公開されていない記事が保存されました。公開されたときの見た目を、こちらでご確認いただけます。
preview-mail-draft = 下書き
preview-mail-scheduled = { $time }に公開されます
preview-mail-left-out = ほか{ $count }件あります。リンクは次のコマンドで取り寄せることができます。clarion content preview ファイル名
preview-mail-button = プレビューを見る
preview-mail-closing = このリンクは30日間有効で、常に最後に保存された内容を表示します。リンクをお持ちの方はどなたでも下書きをご覧になれますので、お取り扱いにはご注意ください。
