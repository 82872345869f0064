# Texts of the room “petition”.
petition-on-approval = once approved
petition-people = { $count ->
    [one] 1 person
   *[other] { $count } people
  }
petition-people-by-language = { $people } ({ $languages })
petition-people-of-language = { $language } { $count }
petition-hours = { $count ->
    [one] 1 hour
   *[other] { $count } hours
  }
petition-minutes = { $count ->
    [one] 1 minute
   *[other] { $count } minutes
  }
petition-to-everyone = to everyone in the audience
petition-to-acted = to those who said “I have done it”
petition-to-not-acted = to those who have not said “I have done it”
petition-without-text = { $count ->
    [one] 1 person gets nothing, because no text is in a language of theirs.
   *[other] { $count } people get nothing, because no text is in a language of theirs.
  }
petition-missing-languages = No text yet in: { $languages }
petition-text-label = { $step } · { $language } · { petition-people }
petition-personal-link = (a link of the reader’s own)
petition-mail-page = About the petition, and the letter to send
petition-mail-act = I have done it
petition-mail-approve = Look at it and approve
petition-mail-stop = Stop this petition
petition-mistakes-subject = { $title }: { $count ->
    [one] 1 mistake to mend
   *[other] { $count } mistakes to mend
  }
petition-mistakes-intro = You saved the petition “{ $title }”. Nothing can be sent until these mistakes are mended. Mend them and save again; you will get a new mail.
petition-plan-subject = { $title } { $edition }: the plan
petition-plan-draft = You saved this petition as a draft. Below is what would be sent, and when. Nothing goes out. When it is finished, write state = "ready" and save; approvers are then asked by mail.
petition-plan-ready = You saved this petition as ready. If you do not change it for two minutes, approvers are asked by mail. Nothing goes out before they approve.
petition-plan-stopped = You saved this petition as stopped: nothing more goes out. To go on, write state = "ready" and save.
petition-plan-halted = This petition was stopped with the button or the command, and that outranks the file: nothing goes out and nobody is asked to approve, whatever you save. To take the stop back, ask whoever runs the server for: clarion petition resume { $slug }
petition-plan-begun = Sent already, or being sent: { $steps }. Your change does not touch that.
petition-plan-void = Approvals given before no longer hold, because the petition was changed. Approvers will be asked again.
petition-plan-deadline = What has not gone out by { $time } will not go out.
petition-approval-subject = Please approve: { $title } { $edition }
petition-approval-intro = This petition is ready. Below is exactly what will be sent, when, and to how many people. Please read it and approve it on the page behind the button. Without approval nothing is sent.
petition-approval-required = { $count ->
    [one] One approval is enough.
   *[other] { $count } different people must approve.
  }
petition-approval-window = After approval nothing is sent for { $span }; in that time, and later too, the stop link stops it.
petition-reminder-subject = Still to be approved: { $title }, { $step }
petition-reminder-body = The step “{ $step }” of “{ $title }” is due { $time } and is not approved yet. Without approval it will not be sent.
petition-overdue-subject = Time ran out: { $title }, { $step }
petition-overdue-body = The step “{ $step }” of “{ $title }” was due { $time }, but it was not approved in time. It can still be approved within { $limit } of that time; later it will not be sent.
petition-missed-subject = Not sent: { $title }, { $step }
petition-missed-body = The step “{ $step }” of “{ $title }” was due { $time } and was never approved. It will not be sent any more. To send it after all, write a new time into petition.toml, save, and have it approved.
petition-held-subject = Held back: { $title }, { $step }
petition-held-body = The step “{ $step }” of “{ $title }” was due { $time } and approved, but it could not be sent within { $limit } or before the deadline. It is held, since a late appeal can do harm. To send it after all, write a new time into petition.toml, save, and have it approved.
petition-sent-subject = On its way: { $title }, { $step }
petition-sent-body = The step “{ $step }” of “{ $title }” began to go out { $time }, to { petition-people }.
petition-sent-difference = Approvers were told { $told }. The difference are people who joined, left or changed their choices since.
petition-stopped-subject = Stopped: { $slug } { $edition }
petition-stopped-notice = The petition { $slug } { $edition } was stopped. Nothing more of it goes out; { $count ->
    [0] nobody was still waiting for a mail.
    [one] 1 person will not get a mail they were to get.
   *[other] { $count } people will not get a mail they were to get.
  } To take the stop back, ask whoever runs the server for: clarion petition resume { $slug }
petition-state-proposed = waits for approval
petition-state-approved = approved
petition-state-sending = being sent
petition-state-sent = sent
petition-state-held = held back: too late
petition-state-missed = not approved in time
petition-state-stopped = stopped
petition-link-broken-heading = This link does not work
petition-link-broken-text = The link is not complete, or its time is over. Please copy it again from the mail, all of it.
petition-addressees = Write to them
petition-addressees-hint = Choose the office nearest to you. You will find a letter to copy, print or mail.
petition-acted = { $count ->
    [one] One supporter has done it already.
   *[other] { $count } supporters have done it already.
  }
petition-signatories = Signed by
petition-subscribe = Hear of petitions by mail
petition-editions = Other years
letter-heading = Letter to: { $mission }
letter-intro = This is the letter. You can have your name and town put below it, then copy, print or mail it yourself. We never send it in your name.
letter-warning = The embassy will read what you write here. If you have relatives in North Korea or China, leave your name and town out.
letter-kept = We keep nothing of what you type. Both fields may stay empty.
letter-language = Language of the letter
letter-name = Name (may stay empty)
letter-town = Town (may stay empty)
letter-fill = Show my letter
letter-eml = Download as a mail file
letter-ready = Your letter is ready
letter-print = To print it, use your browser’s print command: it makes one page, with the address where a window envelope shows it.
letter-mailto = Open the short letter in my mail program
letter-copy = To copy
letter-phone = Telephone
letter-fax = Fax
letter-email = Mail
act-heading = Have you done it?
act-text = “{ $title }”: if you have sent the letter or acted otherwise, please tell us with the button.
act-button = Yes, I have done it
act-hint = It is voluntary. We count it, and write to you about the outcome.
act-done-heading = Thank you
act-done-text = We have counted it, and will tell you of the outcome.
approve-intro = This is exactly what will be sent. Only personal links are shown in general words.
approve-done = You approved:
approve-progress = { $count } of { $required } approvals
approve-text = As plain text
approve-button = Approve “{ $step }”
approve-all = Approve everything that waits
approve-mine = You have approved this.
approve-stopped = This petition is stopped. Nothing can be approved.
approve-changed = The petition was edited after this mail. You will get a new one.
approve-preparer = You prepared this petition. Where more than one approval is required, yours does not count; somebody else must approve.
approve-nothing = Nothing waits for your approval here.
approve-too-late = It is too late: this step cannot go out in time any more.
approve-not-approver = Your address is not among the approvers any more.
approve-refused-heading = You cannot approve this
approve-refused-text = Your address is not among the approvers any more.
stop-heading = Stop this petition?
stop-text = Nothing more of the petition “{ $title }” ({ $edition }) will be sent. What has been sent cannot be called back.
stop-button = Stop it now
stopped-heading = The petition is stopped
stopped-text = Nothing more of it will be sent. Whoever runs the server can take the stop back.
petition-vanished-subject = The folder of { $slug } is gone
petition-vanished-body = The folder of the petition { $slug } is not there any more, though something of it is approved and waits for its time. Nothing of it will be sent while the folder is missing. Put it back to go on; if you removed it on purpose, there is nothing to do.
