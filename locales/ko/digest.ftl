# Texts of the room “digest”.
digest-subject = [{ $site }] { $title }
digest-subject-more = [{ $site }] { $title } 외 { $count }건
digest-heading = 새 소식
digest-read-more = 더 읽기
digest-read-more-of = 더 읽기: { $title }
digest-left-out = 그 밖의 새 글 { $count }건은 사이트에서 보실 수 있습니다.
digest-category-separator = {", "}
digest-meta = { $date } · { $categories }
digest-read-more-at = 더 읽기:
archive-title = 지금까지 보낸 메일
archive-intro = 구독하시는 분들께 보내 드린 내용입니다. 개인별 링크는 뺐습니다.
archive-empty = 아직 보낸 메일이 없습니다.
archive-older = 이전 메일
archive-subscribe = 메일로 받아 보기
