# Texts of the room “reading”.
newest = Newest articles
nothing-yet = Nothing has been published here yet.
newer = Newer
older = Older
page-of = Page { $page } of { $pages }
archive = All articles by month
year-heading = { $year }
month-name = { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
  }
month-heading = { $month } { $year }
month-with-count = { $month } ({ $count })
topic-by-mail = This topic by mail
topic-by-feed = This topic as a feed:
written-by = By
translated-by = Translated by
signed-by = Signed by
list-separator = { ", " }
updated = Updated
also-in = Also in:
first-published-at = First published at
shown-in-language = There is no translation of this article yet. It is shown as it was written: { $language }.
part-of-series = Part of the series “{ $series }”
downloads = Documents
file-detail = { $kind }, { $size }
invitation = If you wish, we send you new articles by mail, on the topics and in the rhythm you choose.
feeds-what = A feed brings new articles to a program of yours, a feed reader, without your giving us a mail address.
feeds-how = Copy the address of one of the feeds below into your feed reader. Most readers also find it by themselves when you give them the address of any page here. RSS, Atom and JSON carry the same articles; take RSS if you have no preference.
feeds-or-mail = Would you rather have mail?
feeds-opml = All feeds in one file, for import into a feed reader:
feed-of = Feed: { $topic }
feed-what = This page is the address of a feed. A feed reader that is given this address shows you each new article by itself, and you need not tell us your mail address.
feed-address = The address
feed-step-copy = Copy the address.
feed-step-paste = Paste it into your feed reader, where it asks for a feed or a site to follow. If you have no feed reader yet: there are free ones for every phone and every computer.
feed-step-done = That is all. New articles come to you from now on, until you remove the feed there.
feed-or-mail = Would you rather have new articles by mail?
feed-others = The same articles in another format:
feed-raw = This feed as programs see it
video-watch = Watch the video
video-elsewhere = on { $site }, which learns of your visit only if you follow this link
continue-reading = Continue reading
tag-heading = Articles tagged “{ $name }”
author-heading = Articles by { $name }
year-all = All titles of { $year }
articles-count = { $count ->
    [one] One article
   *[other] { $count } articles
  }
above = Belongs to
below = Narrower topics
beside = Other articles
article-before = Earlier
article-after = Later
part-in-series = “{ $series }”, part { $part } of { $parts }
preview-draft = Preview: this is a draft, and not public.
preview-scheduled = Preview: this will be public on { $time }.
preview-who = Only people who have this link can see it, until { $date }. Please pass it on with care.
preview-broken-heading = This link is not complete
preview-broken-text = Mail programs sometimes cut long links in two. Please copy the whole link from the mail into the address bar.
preview-expired-heading = This link is too old
preview-expired-text = A link to a preview works for thirty days. Save the draft again, and a new one comes by mail.
preview-gone-heading = There is nothing to see any more
preview-gone-text = The draft was removed, or the article was withdrawn.
feed-comments = Comments on “{ $title }”
feed-comments-closed = Comments are closed. Nothing new will come here.
feed-mailing-text = Read this mail in your browser.
feed-closing-title = The feed “{ $name }” ends on { $day }
feed-closing-text = On { $day } this feed ends and its address will no longer work. News on this continues under “{ $successor }”: { $link }
