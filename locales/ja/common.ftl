date-long = { $year }年{ $month }月{ $day }日（{ $weekday ->
    [1] 月
    [2] 火
    [3] 水
    [4] 木
    [5] 金
    [6] 土
   *[7] 日
  }）
time-long = { $date }{ $time }（{ $zone }）
skip-to-content = 本文へ移動
navigation = 分野
subscribe = メール登録
feeds = フィード
contact = お問い合わせ
donate = ご寄付
to-home = トップページへ
error-not-found = お探しのページは見つかりませんでした。
error-gone = このページは削除されました。
error-too-many = お使いのネットワークからのお申し込みが多すぎます。1時間ほどしてからもう一度お試しください。
error-internal = 当方で問題が発生しました。しばらくしてからもう一度お試しください。
mail-sender = このメールは{ $site }からお送りしています。
mail-unsubscribe = ワンクリックで配信を停止する
mail-preferences = 登録内容を変更する
archive-years = 年別の記事一覧
error-refused = リクエストを正しく受け取ることができませんでした。前のページに戻って、もう一度お試しください。
error-too-large = 送信された内容が大きすぎるため、受け取ることができませんでした。
error-too-slow = 受信に時間がかかりすぎたため、中断しました。もう一度お試しください。
