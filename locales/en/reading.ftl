# Texts of the room “reading”.
