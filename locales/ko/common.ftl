# 말씨: 안내는 합니다체, 부탁은 “해 주세요”. 사람은 “탈북민”(북한을 떠난 분), 나라를 떠나 보호를 찾는 분은 “북한 난민”.
date-long = { $year }년 { $month }월 { $day }일 { $weekday ->
    [1] 월요일
    [2] 화요일
    [3] 수요일
    [4] 목요일
    [5] 금요일
    [6] 토요일
   *[7] 일요일
  }
time-long = { $date } { $time } ({ $zone })
skip-to-content = 본문으로 바로 가기
navigation = 주제
subscribe = 메일 구독
feeds = 피드
contact = 문의
donate = 후원
to-home = 첫 페이지로
error-not-found = 찾으시는 페이지가 없습니다.
error-gone = 이 페이지는 삭제되었습니다.
error-too-many = 이용하시는 네트워크에서 요청이 너무 많이 들어왔습니다. 한 시간 뒤에 다시 시도해 주세요.
error-internal = 저희 쪽에 문제가 생겼습니다. 잠시 후 다시 시도해 주세요.
mail-sender = 이 메일은 { $site }에서 보내 드립니다.
mail-unsubscribe = 클릭 한 번으로 구독 해지
mail-preferences = 구독 설정 변경
archive-years = 연도별 글 목록
error-refused = 요청을 이해하지 못했습니다. 이전 페이지로 돌아가 다시 시도해 주세요.
error-too-large = 보내신 내용이 받을 수 있는 크기를 넘었습니다.
error-too-slow = 요청이 도착하는 데 시간이 너무 오래 걸렸습니다. 다시 시도해 주세요.
