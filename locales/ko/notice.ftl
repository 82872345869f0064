# Texts of the room “notice”.
notice-translations-subject = 번역 현황: 미공개 { $missing }건, 갱신 필요 { $older }건
notice-translations-opening = 지난 열두 달의 글 가운데 아직 공개되지 않은 언어가 있거나, 번역한 뒤에 원문이 바뀐 글입니다.
notice-translations-language = { $language }: { $count }건
notice-translations-missing = - { $file } ({ $date }): 아직 번역이 없습니다.
notice-translations-begun = - { $file } ({ $date }): 번역이 아직 공개되지 않았습니다.
notice-translations-older = - { $file }: { $date }에 원문이 바뀌었습니다.
notice-translations-left-out = - 그 밖에 { $count }건
notice-translations-how = 번역은 원문 곁에 저장해 주세요. 예: report.md 곁에 report.ja.md. 번역을 고칠 필요가 없다면 그 파일의 “updated”에 오늘 날짜를 적어 주세요. 최신 번역으로 여겨집니다.
notice-translations-more-at = 이 메일은 한 달에 한 번 보내 드립니다. 오래된 글까지 모두 보려면 다음 명령을 쓰세요: clarion translations
preview-mail-subject = 초안 미리 보기
preview-mail-subject-several = 초안 { $count }건 미리 보기
preview-mail-opening = 아직 공개되지 않은 글이 저장되었습니다. 공개되면 어떻게 보일지 여기에서 확인하실 수 있습니다.
preview-mail-draft = 초안
preview-mail-scheduled = { $time }에 공개됩니다
preview-mail-left-out = 그 밖에 { $count }건이 더 있습니다. 링크는 다음 명령으로 받을 수 있습니다: clarion content preview 파일
preview-mail-button = 미리 보기 열기
preview-mail-closing = 이 링크는 언제나 마지막에 저장된 내용을 보여 주며, 30일 동안 쓸 수 있습니다. 링크를 가진 사람은 누구나 초안을 볼 수 있으니 조심해서 전달해 주세요.
