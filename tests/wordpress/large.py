"""Prints a large export, made of a small one: large.py EXPORT.xml POSTS

Every published post is repeated with a new number, name, date and guid, and its text several times
over, so that 10,000 posts weigh about 100 MB.
"""

import pathlib
import re
import sys

text = pathlib.Path(sys.argv[1]).read_text("utf-8", "replace")
head, *items = text.split("\t<item>")
items[-1], tail = items[-1].split("</channel>")
posts = [item for item in items if "<wp:post_type><![CDATA[post]]>" in item and "<wp:status><![CDATA[publish]]>" in item and "[:en]" not in item]
out = sys.stdout
out.write(head)
for number in range(int(sys.argv[2])):
    item = posts[number % len(posts)]
    body = re.search(r"<content:encoded><!\[CDATA\[(.*?)\]\]></content:encoded>", item, re.S)
    longer = "\n\n".join([body[1]] * max(1, 9000 // (len(body[1].encode()) + 1)))
    item = item[: body.start(1)] + longer + item[body.end(1) :]
    date = f"{2005 + number % 20}-{1 + number % 12:02}-{1 + number % 28:02} 09:00:00"
    utc = date.replace(" 09:", " 00:")
    for element, value in {
        "wp:post_id": number + 1000, "wp:post_date": date, "wp:post_date_gmt": utc, "wp:post_modified": date,
        "wp:post_modified_gmt": utc, "wp:post_name": f"post-{number}", "link": f"http://www.example.org/archives/{number + 1000}",
    }.items():
        item = re.sub(rf"<{element}>.*?</{element}>", f"<{element}>{value}</{element}>", item, count=1, flags=re.S)
    item = re.sub(r"(<guid[^>]*>).*?</guid>", rf"\g<1>http://www.example.org/?p={number + 1000}</guid>", item, count=1)
    out.write("\t<item>" + item)
for item in items:
    if "<wp:post_type><![CDATA[attachment]]>" in item:
        out.write("\t<item>" + item)
out.write("</channel>" + tail)
