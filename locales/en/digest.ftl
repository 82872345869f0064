# Texts of the room “digest”.
