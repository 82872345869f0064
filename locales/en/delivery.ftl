# Texts of the room “delivery”.
mail-test-subject = A test from { $site }
mail-test-heading = Mail from { $site } arrives
mail-test-opening = Somebody who looks after this site asked for this mail, to see whether it reaches you. Nothing else follows from it.
