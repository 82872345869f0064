# Texts of the room “petition”.
