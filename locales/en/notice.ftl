# Texts of the room “notice”.
notice-translations-subject = Translations: { $missing } missing, { $older } older than their original
notice-translations-opening = Of the articles of the last twelve months, these are not public in every language of the site, or have changed since they were translated.
notice-translations-language = { $language }: { $count }
notice-translations-missing = - { $file } ({ $date }): no translation yet.
notice-translations-begun = - { $file } ({ $date }): the translation is not public yet.
notice-translations-older = - { $file }: the original changed on { $date }.
notice-translations-left-out = - and { $count } more
notice-translations-how = Save a translation beside its original: report.ja.md beside report.md. If a translation needs no change, write the day of today as “updated” into its file, and it counts as new.
notice-translations-more-at = This mail comes once a month. The whole list, also of older articles: clarion translations
preview-mail-subject = A draft to look at
preview-mail-subject-several = { $count } drafts to look at
preview-mail-opening = This was saved and is not public yet. Here you can see how it will look.
preview-mail-draft = draft
preview-mail-scheduled = will be public on { $time }
preview-mail-left-out = And { $count } more, of which one can ask for a link: clarion content preview FILE
preview-mail-button = See the preview
preview-mail-closing = The link always shows the version saved last, and works for thirty days. Whoever has it can see the draft, so pass it on with care.
