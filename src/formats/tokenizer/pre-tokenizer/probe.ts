/**
 * Short texts on which any two different pre-tokenizers of the table disagree somewhere: contractions
 * in both cases and with other apostrophes, digit runs of 1 to 7, scripts without spaces, combining
 * marks, emoji, every kind of space and line end, code, runs of punctuation.
 *
 * Each begins with a space, so that `add_prefix_space` changes nothing.
 */
export const probeTexts: readonly string[] = [
  " I've we'll he's THEY'RE I'M can't CAN'T d'accord rock'n'roll 'tis Ankara'daki İzmir'Ten 'S",
  ' don’t it’s l’été ‘quoted’ “double” ʼn',
  ' 1 12 123 1234 12345 123456 1234567 3.14 1,000,000 v2.0 a1b22c333 x1234y',
  ' ٣٤٥ १२३४ ½ ² Ⅳ ① 一二三',
  ' 我想在apple工作1314151天～ 日本語のテスト、カタカナ。 한국어 문장',
  ' ภาษาไทย ကမ္ဘာ កាន់តែ हिन्दी தமிழ் עִבְרִית العَرَبِيَّة',
  ' cafe\u0301 naïve Ünïcödé ÀÉÎ Straße Ελληνικά нещо Български',
  ' camelCase HTTPServer XMLHttpRequest snake_case SCREAMING_CASE iPhone eBay',
  ' 🚀 😶‍🌫️ 👩‍👩‍👧‍👦 🇩🇪 ✅🦙🦙 a🚀b',
  ' !?.. ... --- === ------======= "quoted" (paren) [x] {y} <z> a/b\\c',
  ' $5 €10 £3.50 50% #tag @user a+b=c x^y ~z `code` |pipe| a_b !word #include',
  ' a  b   c    d  12   345',
  ' tab\tb\t\tc \t d',
  ' one\ntwo\n\nthree\n\n\nfour \n five\n  six',
  ' crlf\r\nline\r\n\r\nend\r',
  ' punct.\nnext!\n\nmore;\r\n/* c */ // x\n/path/to/file\n/',
  ' if (x == 1) {\n    return a[i] + b->c;\n}\n\tdef f(x):\n\t\tpass',
  ' no\u00a0break em\u2003space ideo\u3000graphic thin\u2009x',
  ' end with spaces   ',
  ' word1 word 2word w2w 3rd 21st 100km/h',
  ' http://example.com/a?b=c&d=e user@example.com',
];
