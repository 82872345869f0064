# Texts of the room “subscription”.
