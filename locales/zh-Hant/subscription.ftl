# Texts of the room “subscription”.

# The form
subscribe-heading = 用電子郵件訂閱
subscribe-opening = { $site }有消息時會寫信給您：新聞、報告，以及您可以參與的請願。完全免費，絕不會比您選擇的頻率更頻繁。
address-label = 您的電子郵件地址
address-mistake = 這看起來不像電子郵件地址。請依照 name@example.org 的格式填寫。
leave-empty = 這一欄請留空
one-button-more = 就快完成了：請看過下面的內容，再按一次按鈕。
topics-legend = 您想閱讀的主題
topics-hint = 請勾選您感興趣的主題。如果一個也沒有勾選，就會收到全部內容。
topics-everything = 全部
topics-unknown = 您原先選擇的主題在這裡已經不存在。請從下面選擇。
topic-petitions = 請願
languages-legend = 您的語言
languages-hint = 每篇文章只寄一次，依照以下順序採用最先找到的語言，絕不會用您沒有選擇的語言寄給您。
languages-first = 首選
languages-next = 其次
languages-none = 不指定
rhythm-legend = 寄送頻率
rhythm-each = 每篇文章發表後立即寄送
rhythm-daily = 每天最多一次
rhythm-weekly = 每週一次
rhythm-monthly = 每月一次
# Whoever changes this changes CONSENT_TEXT_VERSION too.
consent-text = 按下按鈕，表示我同意{ $site }保存我的電子郵件地址和以上選擇，並據此寫信給我。我的地址會加密保存，不會提供給任何人；沒有人會追蹤我是否開啟信件、點了什麼。我可以隨時一鍵取消訂閱，並要求清除所有資料。
subscribe-button = 訂閱
subscribe-already = 已經訂閱了嗎？
subscribe-sent-heading = 請到信箱收信
subscribe-sent-text = 我們已經寄信到您填寫的地址。請打開那封信，點選其中的連結，訂閱才會開始。如果十分鐘後還沒有收到，請看看垃圾郵件，並檢查地址是否填寫正確。

# Confirming
confirm-heading = 最後再點一下
confirm-opening = 您即將訂閱{ $site }的電子報。您的選擇如下：
confirm-button = 是的，我要訂閱
confirm-hint = 如果不是您本人申請，或是您改變了心意，關閉這一頁就好，您不會收到任何信。
confirmed-heading = 歡迎您，謝謝
confirmed-text = 您對{ $site }的訂閱已經開始。有新內容時，您會收到下一封信。
confirmed-already-heading = 您已經確認過了
confirmed-already-text = 一切正常：這份訂閱先前已經確認，沒有任何變動。
confirm-expired-heading = 連結已經過期
confirm-expired-text = 確認連結的有效期限是三天。請再申請一次訂閱，新的連結會寄到您的信箱。
link-broken-heading = 這個連結不完整
link-broken-text = 有些郵件程式會把長連結截成兩段。請從信中複製完整的連結，貼到網址列，或是索取新的連結。

# Choices
preferences-heading = 變更訂閱設定
preferences-opening = 請填寫您收到我們來信的地址。我們會把開啟訂閱設定的連結寄到那裡，這樣別人就無法查看或變更您的設定。
preferences-send = 把連結寄給我
preferences-sent-heading = 請到信箱收信
preferences-sent-text = 如果我們這裡有這個地址，連結很快就會送達。連結在半小時內有效。
preferences-expired-heading = 連結已經過期
preferences-expired-text = 為了您的安全，訂閱設定的連結只在半小時內有效。您可以馬上取得新的連結。
choices-heading = 訂閱設定
choices-opening = 這是您目前收到的內容。您可以隨意變更，不會漏掉文章，也不會重複收到。
choices-not-subscribed = 您目前沒有訂閱，我們不會寄信給您。
choices-save = 儲存
choices-leave-text = 我們不會再寄信給您。隨時歡迎您回來。
choices-gone-heading = 這裡沒有訂閱
choices-gone-text = 這份訂閱已經結束，或是已經清除。歡迎您重新訂閱。
streams-legend = 我們可以寄給您的內容
streams-both = 新聞和請願
streams-news = 只要新聞
streams-petitions = 只要請願
saved-heading = 已儲存
saved-text = 從下一封信起，依照您的新設定寄送。
erase-heading = 清除我的資料
erase-text = 我們會永久清除您的電子郵件地址和您的所有選擇。日後如果想再收到我們的消息，需要重新訂閱。
erase-button = 清除我的所有資料
erased-heading = 已清除
erased-text = 您的電子郵件地址和選擇已從我們的紀錄中清除。感謝您一路以來的陪伴。

# Leaving
leave-heading = 取消訂閱
leave-opening = 不想再收到{ $site }的信了嗎？點一下就可以。
leave-legend = 要停止寄送的內容
leave-everything = 全部
leave-petitions = 只停止請願
leave-news = 只停止新聞
leave-button = 停止寄送
leave-hint = 也可以降低頻率，或更換主題。
left-heading = 您已經取消訂閱
left-text = { $site }不會再寄信給您。感謝您一路以來的陪伴。如果是不小心按到的，隨時歡迎您回來。
left-petitions-heading = 已停止寄送請願
left-petitions-text = { $site }不會再寄請願給您。新聞仍會照常寄送。
left-news-heading = 已停止寄送新聞
left-news-text = { $site }不會再寄新聞給您。請願仍會照常寄送。

# Ways on
to-subscribe = 訂閱
to-subscribe-again = 重新訂閱
to-preferences = 變更訂閱設定
to-choices = 回到訂閱設定
to-articles = 閱讀最新文章

# Mails
mail-confirm-subject = 請確認訂閱：{ $site }
mail-confirm-heading = 請確認訂閱
mail-confirm-opening = 有人申請用這個地址收到{ $site }的信，我們希望那就是您。請打開連結，按下那裡的按鈕，訂閱就會開始。
mail-confirm-button = 確認訂閱
mail-confirm-by-mail = 如果無法開啟頁面，請寄一封空白郵件到以下地址：
mail-confirm-closing = 連結的有效期限是三天。如果不是您本人申請，請忽略這封信，您不會再收到任何信。
mail-already-subject = 您已經訂閱{ $site }
mail-already-heading = 您已經訂閱了
mail-already-opening = 有人（也許就是您）申請用這個地址訂閱{ $site }。這個地址原本就已訂閱，沒有任何變動。打開這個連結，可以查看並變更您收到的內容。
mail-already-button = 查看訂閱設定
mail-already-closing = 連結在半小時內有效。如果不是您本人申請，也不需要做任何事。
mail-choices-subject = 您在{ $site }的訂閱設定
mail-choices-heading = 訂閱設定
mail-choices-opening = 打開這個連結，可以查看您從{ $site }收到的內容，也可以變更設定、取消訂閱，或清除所有資料。
mail-choices-button = 查看訂閱設定
mail-choices-closing = 連結在半小時內有效。如果您沒有申請，也不需要做任何事。

# To staff
notice-several = Clarion 的 { $count } 則通知
notice-opening = 請您留意以下事項：
