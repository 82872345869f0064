# Texts of the room “subscription”.

# The form
subscribe-heading = 메일로 구독하기
subscribe-opening = { $site }에서 소식과 보고, 함께하실 수 있는 청원을 메일로 알려 드립니다. 무료이며, 고르신 주기보다 자주 보내지 않습니다.
address-label = 메일 주소
address-mistake = 메일 주소의 형식이 맞지 않습니다. name@example.org처럼 적어 주세요.
leave-empty = 이 칸은 비워 두세요
one-button-more = 거의 다 되었습니다. 아래 내용을 확인하시고 버튼을 한 번 더 눌러 주세요.
topics-legend = 읽고 싶은 주제
topics-hint = 관심 있는 주제를 골라 주세요. 아무것도 고르지 않으시면 모두 보내 드립니다.
topics-everything = 모두
topics-unknown = 고르셨던 주제는 이제 없습니다. 아래에서 골라 주세요.
topic-petitions = 청원
languages-legend = 언어
languages-hint = 글마다 아래 순서에서 처음 찾은 언어로 한 번만 보내 드리며, 고르지 않으신 언어로는 보내지 않습니다.
languages-first = 1순위
languages-next = 다음 순위
languages-none = 선택 안 함
rhythm-legend = 받으실 주기
rhythm-each = 글이 올라올 때마다 바로
rhythm-daily = 하루에 한 번까지
rhythm-weekly = 한 주에 한 번
rhythm-monthly = 한 달에 한 번
# Whoever changes this changes CONSENT_TEXT_VERSION too.
consent-text = 버튼을 누르면 { $site }에서 메일 주소와 위에서 고른 내용을 보관하고 그에 따라 메일을 보내는 데 동의하게 됩니다. 주소는 암호화해 보관하고 누구에게도 넘기지 않으며, 메일을 열었는지, 무엇을 눌렀는지 살피지 않습니다. 언제든지 클릭 한 번으로 구독을 해지하고 모든 정보를 지울 수 있습니다.
subscribe-button = 구독하기
subscribe-already = 이미 구독하고 계신가요?
subscribe-sent-heading = 메일을 확인해 주세요
subscribe-sent-text = 적어 주신 주소로 메일을 보냈습니다. 그 메일에 있는 링크를 여셔야 구독이 시작됩니다. 10분이 지나도 오지 않으면 스팸 메일함을 살펴보시고, 주소를 바르게 적으셨는지 확인해 주세요.

# Confirming
confirm-heading = 마지막 클릭 한 번
confirm-opening = { $site }의 메일을 구독하려고 하십니다. 고르신 내용은 다음과 같습니다.
confirm-button = 네, 구독하겠습니다
confirm-hint = 신청하신 적이 없거나 마음이 바뀌셨다면 이 페이지를 그냥 닫으세요. 아무것도 보내지 않습니다.
confirmed-heading = 반갑습니다, 고맙습니다
confirmed-text = { $site } 구독이 시작되었습니다. 새 소식이 있을 때 다음 메일을 보내 드립니다.
confirmed-already-heading = 이미 확인하셨습니다
confirmed-already-text = 문제없습니다. 이 구독은 앞서 확인되었고, 달라진 것은 없습니다.
confirm-expired-heading = 링크의 유효 기간이 지났습니다
confirm-expired-text = 확인 링크는 사흘 동안 쓸 수 있습니다. 번거로우시겠지만 다시 구독을 신청해 주세요. 새 링크를 메일로 보내 드립니다.
link-broken-heading = 링크가 온전하지 않습니다
link-broken-text = 긴 링크를 둘로 자르는 메일 프로그램이 있습니다. 메일에 있는 링크 전체를 복사해 주소창에 붙여 넣거나, 새 링크를 요청해 주세요.

# Choices
preferences-heading = 구독 설정 변경
preferences-opening = 저희 메일을 받으시는 주소를 적어 주세요. 그 주소로 구독 설정을 여는 링크를 보내 드립니다. 그래서 다른 사람은 설정을 보거나 바꿀 수 없습니다.
preferences-send = 링크 받기
preferences-sent-heading = 메일을 확인해 주세요
preferences-sent-text = 저희에게 등록된 주소라면 곧 링크가 도착합니다. 링크는 30분 동안 쓸 수 있습니다.
preferences-expired-heading = 링크의 유효 기간이 지났습니다
preferences-expired-text = 안전을 위해 구독 설정 링크는 30분 동안만 쓸 수 있습니다. 새 링크는 바로 받으실 수 있습니다.
choices-heading = 구독 설정
choices-opening = 지금 받고 계신 내용입니다. 자유롭게 바꾸세요. 빠지거나 두 번 오는 글은 없습니다.
choices-not-subscribed = 지금은 구독하고 계시지 않으므로, 저희가 보내 드리는 메일이 없습니다.
choices-save = 저장
choices-leave-text = 앞으로 저희 메일이 가지 않습니다. 언제든지 다시 구독하실 수 있습니다.
choices-gone-heading = 구독을 찾을 수 없습니다
choices-gone-text = 이 구독은 끝났거나 지워졌습니다. 새로 구독하시면 언제든지 환영합니다.
streams-legend = 받으실 메일
streams-both = 소식과 청원
streams-news = 소식만
streams-petitions = 청원만
saved-heading = 저장했습니다
saved-text = 다음 메일부터 바뀐 내용대로 보내 드립니다.
erase-heading = 내 정보 지우기
erase-text = 메일 주소와 고르신 내용을 모두 완전히 지웁니다. 다시 소식을 받고 싶으시면 새로 구독하셔야 합니다.
erase-button = 내 정보 모두 지우기
erased-heading = 지웠습니다
erased-text = 메일 주소와 고르신 내용을 저희 기록에서 지웠습니다. 그동안 함께해 주셔서 고맙습니다.

# Leaving
leave-heading = 구독 해지
leave-opening = { $site }의 메일을 그만 받으시겠습니까? 클릭 한 번이면 됩니다.
leave-legend = 그만 받으실 메일
leave-everything = 모두
leave-petitions = 청원만
leave-news = 소식만
leave-button = 그만 받기
leave-hint = 횟수를 줄이거나 주제를 바꾸실 수도 있습니다.
left-heading = 구독을 해지했습니다
left-text = 앞으로 { $site }에서 메일을 보내지 않습니다. 그동안 함께해 주셔서 고맙습니다. 잘못 누르셨다면 언제든지 다시 구독하실 수 있습니다.
left-petitions-heading = 청원 메일을 그만 보내 드립니다
left-petitions-text = { $site }에서 더는 청원 메일을 보내지 않습니다. 소식은 계속 보내 드립니다.
left-news-heading = 소식 메일을 그만 보내 드립니다
left-news-text = { $site }에서 더는 소식 메일을 보내지 않습니다. 청원은 계속 보내 드립니다.

# Ways on
to-subscribe = 구독하기
to-subscribe-again = 다시 구독하기
to-preferences = 구독 설정 변경
to-choices = 구독 설정으로 돌아가기
to-articles = 새 글 읽기

# Mails
mail-confirm-subject = 구독을 확인해 주세요: { $site }
mail-confirm-heading = 구독을 확인해 주세요
mail-confirm-opening = 이 주소로 { $site }의 메일을 받겠다는 신청이 들어왔습니다. 본인이 신청하셨다면 아래 링크를 열고 버튼을 눌러 주세요. 그러면 구독이 시작됩니다.
mail-confirm-button = 구독 확인하기
mail-confirm-by-mail = 페이지를 열 수 없으면 다음 주소로 빈 메일을 보내 주세요:
mail-confirm-closing = 링크는 사흘 동안 쓸 수 있습니다. 신청하신 적이 없으면 이 메일을 무시하세요. 더는 아무것도 보내지 않습니다.
mail-already-subject = 이미 구독하고 계십니다: { $site }
mail-already-heading = 이미 함께하고 계십니다
mail-already-opening = 이 주소로 { $site }의 구독 신청이 들어왔습니다. 이미 구독하고 계시므로 달라진 것은 없습니다. 아래 링크에서 지금 받고 계신 내용을 보고 바꾸실 수 있습니다.
mail-already-button = 구독 설정 보기
mail-already-closing = 링크는 30분 동안 쓸 수 있습니다. 신청하신 적이 없더라도 따로 하실 일은 없습니다.
mail-choices-subject = { $site } 구독 설정
mail-choices-heading = 구독 설정
mail-choices-opening = 아래 링크에서 { $site }에서 받고 계신 내용을 보실 수 있습니다. 내용을 바꾸거나, 구독을 해지하거나, 모든 정보를 지우실 수도 있습니다.
mail-choices-button = 구독 설정 보기
mail-choices-closing = 링크는 30분 동안 쓸 수 있습니다. 요청하신 적이 없더라도 따로 하실 일은 없습니다.

# To staff
notice-several = Clarion에서 알려 드리는 일 { $count }건
notice-opening = 다음을 알려 드립니다.
