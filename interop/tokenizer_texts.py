"""Texts written for these fixtures: something of everything that a tokenizer can trip over."""

TRAINING = """
The miller's daughter couldn't sleep. "It's only the wind," she'd say, but she'd seen the lamp go by twice.
They're late; we've waited 12 minutes, 123 days, 1,234 years and 1234567 heartbeats. I'm sure you'll see!
Don't shout. DON'T SHOUT. We'Ve all been there, haven't we? He said: "I'll go", and THEY'RE gone.
In 1998 the bridge was 45.7 m long, cost $3,500,000 and stood for 27 years (until 2025-03-01).
def area(width, height):\n    if width == 0 or height == 0:\n        return None\n\treturn width * height  # cm^2
for (let i = 0; i < items.length; i++) {\n  total += items[i].price ?? 0;\n}\n\n\n<div class="box">&nbsp;</div>\r\n
camelCase HTTPServer XMLHttpRequest snake_case SCREAMING_CASE iPhone; a/b\\c; http://example.com/path?query=1&x=y
Der Bäcker wäscht süße Äpfel im Fluß; l'été à Orléans; el niño comió piñata; żółć gęślą jaźń.
Старый мельник не спал всю ночь. Ελληνικά γράμματα. Нещо на Български.
我想在小河边看月亮，然后吃1314个苹果。昔々、川のほとりに、おじいさんがいました。カタカナもある。옛날 옛적에 방앗간이 있었다.
हिन्दी में एक छोटी कहानी। ภาษาไทยไม่มีช่องว่าง កាន់តែពិសេសអាច תורה العربية
🚀 😶\u200d🌫️ 👩\u200d👩\u200d👧 🇩🇪 ✅ 🦙🦙 ... !!! ??? === --- *** ''' \"\"\" ```
x  =  1   ;    y     =      2\t\t3\t 4 \t5
cafe\u0301 no\u00a0break ideo\u3000graphic thin\u2009space zero\u200bwidth
""" * 3

CHECKED = [
    "",
    " ",
    "   ",
    "\n",
    "\n\n \n\n\n \t \t\t \t\n  \n   \n    \n",
    "Hello world",
    " Hello World!",
    "I've been 'told he's there, 'RE you sure? 'M not sure I'll make it, 'D you? We'Ve a'lL don’t ʼn",
    "3 33 333 3333 33333 333333 3333333 33333333 3.3 3..3 3...3 a1b22c333 v2.0 1,000,000 x1234y",
    "٣٤٥ १२३४ ½ ² Ⅳ ① 一二三 ３３",
    "我想在apple工作1314151天～ 日本語のテスト、カタカナ。한국어 문장입니다",
    "ภาษาไทย កាន់តែពិសេសអាច हिन्दी தமிழ் עִבְרִית العَرَبِيَّة",
    "cafe\u0301 naïve Ünïcödé ÀÉÎ Straße ǅ ʰa Ελληνικά нещо на Български",
    "camelCase HTTPServer XMLHttpRequest snake_case SCREAMING_CASE iPhone eBay ÉCOLEnormale",
    "🚀 (normal) 😶\u200d🌫️ (multiple) ✅ 🦙🦙 👩\u200d👩\u200d👧 🇩🇪 a🚀b",
    "''''''```````\"\"\"\"......!!!!!!?????? ------======= <=> a+=b x^y ~z $5 €10 #tag @user |p|",
    "a  b   c    d     e\tf\t\tg \t h  \n  i",
    "one\ntwo\n\nthree\n\n\nfour \n five\n  six\r\nseven\r\n\r\neight\r",
    "punct.\nnext!\n\nmore;\r\n/* c */ // x\n/path/to/file\n/",
    "if (x == 1) {\n    return a[i] + b->c;\n}\n\tdef f(x):\n\t\tpass\n",
    "no\u00a0break em\u2003space ideo\u3000graphic thin\u2009x next\u0085line zero\u200bwidth \ufeffbom",
    "\x00\x01\x07\x1b[0m \x7f control",
    "end with spaces   ",
    "word1 word 2word 3rd 21st 100km/h http://example.com/a?b=c&d=e user@example.com _under__score_",
]
