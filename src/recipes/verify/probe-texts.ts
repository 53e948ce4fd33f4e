/**
 * Texts that tell tokenizers apart: each kind has broken a published conversion at least once
 * (contractions, digit runs, joined emoji, scripts without spaces, code, control characters).
 */
export const probeTexts: readonly { readonly name: string; readonly text: string }[] = [
  {
    name: 'prose',
    text: "It's late; we'll go home, SHE'D said. \"Don't,\" he'd've replied -- twice!",
  },
  { name: 'numbers', text: '1 12 123 1234 12345 3.14159 1,000,000 0x1F 2026-11-21 ½ ² ٣٤' },
  { name: 'emoji', text: '😀 👩‍👩‍👧‍👦 🏳️‍🌈 ☕️👍🏽 🇫🇮' },
  { name: 'chinese', text: '今天天气很好，我们去公园散步吧。' },
  { name: 'japanese', text: '吾輩は猫である。ニャーニャー、カタカナも！' },
  { name: 'korean', text: '안녕하세요, 오늘은 날씨가 참 좋네요.' },
  { name: 'arabic', text: 'مرحبا بالعالم، كيف حالك؟' },
  { name: 'hindi', text: 'नमस्ते दुनिया, आप कैसे हैं?' },
  { name: 'accents', text: 'naïve café Ångström e\u0301 Straße ﬁn Ωmega' },
  {
    name: 'code',
    text: 'for (let i = 0; i < n; i++) {\n\tsum += a[i] ** 2; // total\n}\n\n\n  return  sum;',
  },
  { name: 'spaces', text: ' leading,  double,   triple \t tab \r\n newline \n\n  \n end ' },
  {
    name: 'control',
    text: 'bell\u0007 escape\u001b[0m delete\u007f bom\ufeff zero\u200bwidth nbsp\u00a0x',
  },
  {
    name: 'urls',
    text: 'https://example.org/a?b=c&d=%20#e user.name+tag@mail.co.uk C:\\dir\\file',
  },
  { name: 'empty', text: '' },
];
