# Texts of the room “subscription”.

# The form
subscribe-heading = Subscribe by mail
subscribe-opening = { $site } writes to you when there is something to tell: news, reports and petitions you can take part in. Free, and never more often than you choose.
address-label = Your mail address
address-mistake = This does not look like a mail address. Please write it like name@example.org.
leave-empty = Leave this empty
one-button-more = Almost there: please look over what is below and press the button once more.
topics-legend = What you would like to read
topics-hint = Tick what interests you. With nothing ticked, you receive everything.
topics-everything = Everything
topics-unknown = The topics you came with no longer exist here. Please choose from these.
topic-petitions = Petitions
languages-legend = Your languages
languages-hint = You receive each article once, in the first of these languages that it exists in, and never in another.
languages-first = First
languages-next = Otherwise
languages-none = none
rhythm-legend = How often
rhythm-each = At once, each article by itself
rhythm-daily = Once a day at most
rhythm-weekly = Once a week
rhythm-monthly = Once a month
# Whoever changes this changes CONSENT_TEXT_VERSION too.
consent-text = With the button I ask { $site } to keep my address and these choices, and to write to me accordingly. My address is kept encrypted and given to nobody, and nobody watches what I open or click. I can leave at any time with one click, and have everything forgotten.
subscribe-button = Subscribe
subscribe-already = You are subscribed already?
subscribe-sent-heading = Please check your mail
subscribe-sent-text = We have written to the address you gave. Please open that mail and follow the link in it; only then does anything begin. If nothing has come after ten minutes, look among the unwanted mail, and check whether the address was typed correctly.

# Confirming
confirm-heading = One last click
confirm-opening = You are about to subscribe to mail from { $site }. This is what you chose:
confirm-button = Yes, subscribe me
confirm-hint = It was not you, or you changed your mind? Then simply close this page; nothing will come.
confirmed-heading = Welcome, and thank you
confirmed-text = Your subscription to { $site } has begun. The next mail comes when there is something new.
confirmed-already-heading = You have confirmed already
confirmed-already-text = All is well: this subscription was confirmed earlier, and nothing has changed.
confirm-expired-heading = This link has expired
confirm-expired-text = A confirmation can be used for three days. Please subscribe once more; a fresh link will come by mail.
link-broken-heading = This link is not complete
link-broken-text = Mail programs sometimes cut long links in two. Please copy the whole link from the mail into the address bar, or ask for a fresh one.

# Choices
preferences-heading = Change your choices
preferences-opening = Type the address at which you receive our mail. We will send a link there that opens your choices; so nobody else can see or change them.
preferences-send = Send me the link
preferences-sent-heading = Please check your mail
preferences-sent-text = If this address is known to us, a link is on its way to it. It can be used for half an hour.
preferences-expired-heading = This link has expired
preferences-expired-text = For your safety, a link to your choices can be used for half an hour. You can have a fresh one right away.
choices-heading = Your choices
choices-opening = This is what you receive at present. Change what you like; nothing gets lost and nothing comes twice.
choices-not-subscribed = You are not subscribed at present, so nothing comes from us.
choices-save = Save
choices-leave-text = Nothing more will come from us. You can come back whenever you like.
choices-gone-heading = There is no subscription here
choices-gone-text = This subscription has ended or was forgotten. You are welcome to begin a new one.
streams-legend = What we may send
streams-both = News and petitions
streams-news = News only
streams-petitions = Petitions only
saved-heading = Saved
saved-text = Your choices hold from the next mail on.
erase-heading = Forget me
erase-text = We forget your address and everything you chose, for good. Should you want to hear from us again, you would subscribe anew.
erase-button = Forget everything about me
erased-heading = Forgotten
erased-text = Your address and your choices are gone from our records. We thank you for having been with us.

# Leaving
leave-heading = Leave
leave-opening = Would you like to receive no more mail from { $site }? One click is enough.
leave-legend = What should stop
leave-everything = Everything
leave-petitions = Only petitions
leave-news = Only news
leave-button = Stop it
leave-hint = Less often, or other topics, would be enough?
left-heading = You have left
left-text = Nothing more will come to you from { $site }. Thank you for your company. If this was a mistake, you are welcome back at any time.
left-petitions-heading = No more petitions
left-petitions-text = You receive no more petitions from { $site }. The news still comes.
left-news-heading = No more news
left-news-text = You receive no more news from { $site }. Petitions still come.

# Ways on
to-subscribe = Subscribe
to-subscribe-again = Subscribe again
to-preferences = Change your choices
to-choices = Back to your choices
to-articles = Read the newest articles

# Mails
mail-confirm-subject = Please confirm your subscription to { $site }
mail-confirm-heading = Please confirm
mail-confirm-opening = Somebody – we hope it was you – asked to receive mail from { $site } at this address. Follow the link and press the button there, and it begins.
mail-confirm-button = Confirm the subscription
mail-confirm-by-mail = If you cannot open the page, send an empty mail to this address instead:
mail-confirm-closing = The link can be used for three days. If it was not you, ignore this mail: nothing more will come.
mail-already-subject = You are subscribed to { $site } already
mail-already-heading = You are with us already
mail-already-opening = Somebody – perhaps you – asked to subscribe this address to { $site }. It is subscribed already, and nothing has changed. This link shows what you receive, and lets you change it.
mail-already-button = See your choices
mail-already-closing = The link can be used for half an hour. If it was not you, you need not do anything.
mail-choices-subject = Your choices at { $site }
mail-choices-heading = Your choices
mail-choices-opening = Here is the link to what you receive from { $site }. There you can change it, leave, or have everything forgotten.
mail-choices-button = See your choices
mail-choices-closing = The link can be used for half an hour. If you did not ask for it, you need not do anything.

# To staff
notice-several = { $count } messages from Clarion
notice-opening = This is what you should know:
