# Texts of the room “delivery”.
mail-test-subject = { $site }的測試信
mail-test-heading = { $site }的信已經送達
mail-test-opening = 本站的工作人員寄出這封信，是為了確認信件能夠送達。您不需要做任何事。
