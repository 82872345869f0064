# Texts of the room “delivery”.
mail-test-subject = { $site } 시험 메일
mail-test-heading = { $site }의 메일이 도착했습니다
mail-test-opening = 이 사이트의 담당자가 메일이 잘 도착하는지 확인하려고 보냈습니다. 따로 하실 일은 없습니다.
