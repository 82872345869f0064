# Texts of the room “digest”.
digest-subject = { $site }: { $title }
digest-subject-more = { $site }: { $title } (and { $count } more)
digest-heading = What is new
digest-read-more = Read more
digest-read-more-of = Read more: { $title }
digest-left-out = { $count ->
    [one] One more new article is on the site.
   *[other] { $count } more new articles are on the site.
  }
digest-category-separator = {", "}
digest-meta = { $date } · { $categories }
digest-read-more-at = Read more:
archive-title = Mails sent so far
archive-intro = What subscribers received, without their personal links.
archive-empty = No mail has been sent yet.
archive-older = Older mails
archive-subscribe = Receive these by mail
