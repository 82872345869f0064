# 用詞（臺灣）：人稱「脫北者」，離國尋求庇護者稱「北韓難民」。稱呼讀者用「您」。
date-long = { $year }年{ $month }月{ $day }日（星期{ $weekday ->
    [1] 一
    [2] 二
    [3] 三
    [4] 四
    [5] 五
    [6] 六
   *[7] 日
  }）
time-long = { $date }{ $time }（{ $zone }）
skip-to-content = 跳到主要內容
navigation = 主題
subscribe = 訂閱電子報
feeds = Feed 訂閱
contact = 聯絡我們
donate = 捐款支持
to-home = 回首頁
error-not-found = 這個網址沒有頁面。
error-gone = 這個頁面已經移除。
error-too-many = 您所在的網路送來太多請求。請一小時後再試。
error-internal = 我們這邊發生問題。請稍後再試。
mail-sender = 這封信由{ $site }寄給您。
mail-unsubscribe = 一鍵取消訂閱
mail-preferences = 變更訂閱設定
archive-years = 依年份瀏覽文章
error-refused = 無法辨識這個請求。請回到上一頁再試一次。
error-too-large = 您送出的內容太大，我們無法接收。
error-too-slow = 您的請求傳送時間過長。請再試一次。
