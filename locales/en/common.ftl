date-long = { $weekday ->
    [1] Monday
    [2] Tuesday
    [3] Wednesday
    [4] Thursday
    [5] Friday
    [6] Saturday
   *[7] Sunday
  }, { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
  } { $year }
time-long = { $date }, { $time } ({ $zone })
skip-to-content = Skip to the text
navigation = Topics
subscribe = Subscribe
feeds = Feeds
contact = Contact
donate = Donate
to-home = To the first page
error-not-found = There is no page at this address.
error-gone = This page has been removed.
error-too-many = Too many requests from your network. Please try again in an hour.
error-internal = Something went wrong on our side. Please try again in a little while.
mail-sender = You receive this mail from { $site }.
mail-unsubscribe = Leave with one click
mail-preferences = Change your choices
archive-years = Articles by year
error-refused = This request could not be understood. Please go back and try again.
error-too-large = What you sent is larger than we can take.
error-too-slow = Your request took too long to arrive. Please try again.
