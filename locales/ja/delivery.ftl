# Texts of the room “delivery”.
mail-test-subject = { $site }からの試験メール
mail-test-heading = { $site }からのメールが届いています
mail-test-opening = このサイトの担当者が、メールが届くことを確かめるためにお送りしました。お返事やお手続きは必要ありません。
