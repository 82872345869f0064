# Texts of the room “delivery”.
mail-test-subject = { $site }的测试邮件
mail-test-heading = { $site }的邮件已送达
mail-test-opening = 本站的工作人员发送这封邮件，是为了确认邮件能够送达。您不需要做任何事。
