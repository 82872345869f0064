# Texts of the room “subscription”.

# The form
subscribe-heading = メールで受け取る
subscribe-opening = { $site }から、お知らせや報告、ご参加いただける署名・請願のご案内をメールでお届けします。無料です。お選びいただいた頻度より多くお送りすることはありません。
address-label = メールアドレス
address-mistake = メールアドレスの形式をご確認ください。name@example.org のようにご入力ください。
leave-empty = この欄には何も入力しないでください
one-button-more = あと一歩です。以下の内容をご確認のうえ、もう一度ボタンを押してください。
topics-legend = 受け取りたい分野
topics-hint = ご関心のあるものをお選びください。何も選ばない場合は、すべてお届けします。
topics-everything = すべて
topics-unknown = 選択された分野は現在ございません。以下からお選びください。
topic-petitions = 署名・請願
languages-legend = 言語
languages-hint = 各記事は、以下の順で最初に見つかった言語で一度だけお届けします。お選びいただいていない言語ではお送りしません。
languages-first = 第一希望
languages-next = 次の希望
languages-none = 指定しない
rhythm-legend = 頻度
rhythm-each = 記事ごとにすぐ
rhythm-daily = 1日1回まで
rhythm-weekly = 週に1回
rhythm-monthly = 月に1回
# Whoever changes this changes CONSENT_TEXT_VERSION too.
consent-text = ボタンを押すことで、{ $site }がメールアドレスと上記の内容を保管し、それに沿ってメールを送ることに同意します。アドレスは暗号化して保管し、第三者には提供しません。開封やクリックの記録も取りません。配信はいつでもワンクリックで停止でき、登録情報の消去もできます。
subscribe-button = 登録する
subscribe-already = すでにご登録の方は
subscribe-sent-heading = メールをご確認ください
subscribe-sent-text = ご入力のアドレスにメールをお送りしました。メール内のリンクを開いていただくと、登録が始まります。10分ほど待っても届かない場合は、迷惑メールフォルダと、アドレスの入力間違いがないかをご確認ください。

# Confirming
confirm-heading = あとワンクリックです
confirm-opening = { $site }のメール配信に登録します。お選びいただいた内容は次のとおりです。
confirm-button = 登録を確定する
confirm-hint = お心当たりがない場合や、お気持ちが変わった場合は、このままページを閉じてください。何も届きません。
confirmed-heading = ご登録ありがとうございます
confirmed-text = { $site }のメール配信が始まりました。新しいお知らせがあり次第、お届けします。
confirmed-already-heading = すでに確定しています
confirmed-already-text = この登録は以前に確定されており、変更はありません。どうぞご安心ください。
confirm-expired-heading = リンクの有効期限が切れています
confirm-expired-text = 確認リンクの有効期限は3日間です。お手数ですが、もう一度お申し込みください。新しいリンクをメールでお送りします。
link-broken-heading = リンクが途中で切れているようです
link-broken-text = メールソフトによっては、長いリンクが途中で改行されることがあります。メールにあるリンク全体をアドレス欄に貼り付けるか、新しいリンクをお申し込みください。

# Choices
preferences-heading = 登録内容の変更
preferences-opening = 配信先のメールアドレスをご入力ください。登録内容を開くリンクをそのアドレスにお送りします。ご本人以外の方が内容を見たり変更したりすることはできません。
preferences-send = リンクを送る
preferences-sent-heading = メールをご確認ください
preferences-sent-text = ご登録のあるアドレスでしたら、まもなくリンクが届きます。リンクの有効期限は30分です。
preferences-expired-heading = リンクの有効期限が切れています
preferences-expired-text = 安全のため、登録内容へのリンクは30分間のみ有効です。新しいリンクをすぐにお送りできます。
choices-heading = 登録内容
choices-opening = 現在の登録内容です。ご自由に変更してください。変更しても、記事が抜けたり重複したりすることはありません。
choices-not-subscribed = 現在ご登録はなく、当方からメールをお送りすることはありません。
choices-save = 保存する
choices-leave-text = 今後、当方からのメールは届かなくなります。いつでもまたご登録いただけます。
choices-gone-heading = ご登録が見つかりません
choices-gone-text = この登録はすでに終了しているか、消去されています。よろしければ、あらためてご登録ください。
streams-legend = お送りするもの
streams-both = お知らせと署名・請願
streams-news = お知らせのみ
streams-petitions = 署名・請願のみ
saved-heading = 保存しました
saved-text = 次回のメールから、新しい内容でお届けします。
erase-heading = 登録情報の消去
erase-text = メールアドレスとお選びいただいた内容を完全に消去します。再びメールをご希望の場合は、あらためてご登録いただくことになります。
erase-button = 登録情報をすべて消去する
erased-heading = 消去しました
erased-text = メールアドレスと登録内容を、当方の記録から消去しました。これまでのご支援に心より感謝申し上げます。

# Leaving
leave-heading = 配信の停止
leave-opening = { $site }からのメールを停止しますか。ボタンを1回押すだけで完了します。
leave-legend = 停止するもの
leave-everything = すべて
leave-petitions = 署名・請願のみ
leave-news = お知らせのみ
leave-button = 停止する
leave-hint = 頻度や分野を変えることもできます。
left-heading = 配信を停止しました
left-text = 今後、{ $site }からメールが届くことはありません。これまでお読みくださり、ありがとうございました。お間違いの場合は、いつでもまたご登録いただけます。
left-petitions-heading = 署名・請願のご案内を停止しました
left-petitions-text = { $site }からの署名・請願のご案内は届かなくなります。お知らせは引き続きお届けします。
left-news-heading = お知らせを停止しました
left-news-text = { $site }からのお知らせは届かなくなります。署名・請願のご案内は引き続きお届けします。

# Ways on
to-subscribe = 登録する
to-subscribe-again = もう一度登録する
to-preferences = 登録内容を変更する
to-choices = 登録内容に戻る
to-articles = 最新の記事を読む

# Mails
mail-confirm-subject = 【ご確認ください】{ $site }のメール登録
mail-confirm-heading = ご登録の確認
mail-confirm-opening = このメールアドレスで、{ $site }のメール配信へのお申し込みがありました。下のリンクを開き、ボタンを押していただくと登録が完了します。
mail-confirm-button = 登録を確定する
mail-confirm-by-mail = ページを開けない場合は、次のアドレスに空メールをお送りください。
mail-confirm-closing = リンクの有効期限は3日間です。お心当たりがない場合は、このメールを破棄してください。今後メールが届くことはありません。
mail-already-subject = { $site }にはすでにご登録いただいています
mail-already-heading = すでにご登録いただいています
mail-already-opening = このメールアドレスで、{ $site }のメール配信へのお申し込みがありました。すでにご登録済みのため、変更はありません。下のリンクから、現在の登録内容をご確認・変更いただけます。
mail-already-button = 登録内容を見る
mail-already-closing = リンクの有効期限は30分です。お心当たりがない場合も、特に何もしていただく必要はありません。
mail-choices-subject = { $site }の登録内容
mail-choices-heading = 登録内容
mail-choices-opening = { $site }からお届けしている内容は、下のリンクからご覧いただけます。変更、配信の停止、登録情報の消去もできます。
mail-choices-button = 登録内容を見る
mail-choices-closing = リンクの有効期限は30分です。お心当たりがない場合も、特に何もしていただく必要はありません。

# To staff
notice-several = Clarionからのお知らせ（{ $count }件）
notice-opening = お伝えすることがあります。
