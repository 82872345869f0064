# 用词：人称“脱北者”，离国求庇护者称“朝鲜难民”。称呼读者用“您”。
date-long = { $year }年{ $month }月{ $day }日 星期{ $weekday ->
    [1] 一
    [2] 二
    [3] 三
    [4] 四
    [5] 五
    [6] 六
   *[7] 日
  }
time-long = { $date } { $time }（{ $zone }）
skip-to-content = 跳到正文
navigation = 主题
subscribe = 邮件订阅
feeds = Feed 订阅源
contact = 联系我们
donate = 捐助
to-home = 回到首页
error-not-found = 这个网址上没有页面。
error-gone = 这个页面已被删除。
error-too-many = 您所在的网络发来的请求太多。请一小时后再试。
error-internal = 我们这边出了问题。请稍后再试。
mail-sender = 这封邮件由{ $site }发送给您。
mail-unsubscribe = 一键退订
mail-preferences = 更改订阅设置
archive-years = 按年份查看文章
error-refused = 无法识别这个请求。请返回上一页再试。
error-too-large = 您发送的内容太大，我们无法接收。
error-too-slow = 您的请求传送时间过长。请再试一次。
