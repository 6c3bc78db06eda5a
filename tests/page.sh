#!/bin/sh
# page.sh [--browser] PROGRAM: the pages that cltrain report makes, of runs as people have them: one that went well, three that are
# compared, one that diverged, one of a thousand classes, one of two. tidy reads them; with --browser (run.sh --thorough) each is opened in
# headless Chromium at three widths, light and dark, and printed: nothing is wider than the window, no text is smaller than 11
# pixels or has less than 4.5 of contrast, the console is empty, nothing is fetched. Pictures go to KEEP=FOLDER where that is set.
browser=
[ "${1:-}" != --browser ] || { browser=yes; shift; }
. "$(dirname "$0")/command.sh"

# ---- the runs

# A list of images of few pixels, of as many classes as are asked for: make_list CLASSES IMAGES
make_list() {
    awk -v classes="$1" -v images="$2" 'BEGIN {
        srand(1); print "label,p1,p2,p3,p4,p5,p6,p7,p8,p9"
        for (i = 0; i < images; i++) {
            label = i % classes; line = label
            for (p = 1; p < 10; p++) line = line "," int((label * (p * 37 + 11) % 200) + rand() * 50)
            print line
        } }'
}

train() {
    folder=$1
    shift
    cltrain train --quiet --device reference --output-dir "$folder" "$@" >/dev/null 2>&1
}

make_runs() {
    mkdir many two
    make_list 1000 2000 >many/train.csv
    make_list 1000 1000 >many/test.csv
    make_list 2 60 >two/train.csv
    make_list 2 30 >two/test.csv
    small="input 1x3x3; conv out=8 kernel=3 padding=1; relu; flatten; dense out"
    train "<b>quick & well" --data two --net "$small=2" --epochs 3 --batch-size 10 --lr 0.05
    train "slow" --data two --net "$small=2" --epochs 3 --batch-size 10 --lr 0.001
    train "adam" --data two --net "$small=2" --epochs 4 --batch-size 10 --optimizer adam --lr 0.01 --report layers.html --no-check
    train "thousand" --data many --net "$small=1000" --epochs 2 --lr 0.1
    train "diverged" --data two --net "$small=2" --epochs 3 --batch-size 10 --lr 100000 --report layers.html --no-check
}

# page NAME RUN...
page() {
    made=$1
    shift
    ok "the page $made" cltrain report "$@" -o "$made.html" --no-check --device reference
    judge "$made is less than 3 MB" [ "$(wc -c <"$made.html")" -lt 3000000 ]
    judge "$made fetches nothing" lacks "$made.html" '(src|href|url) *[=(] *"?(https?:|//|file:)'
    judge "$made has no script" lacks "$made.html" '<script'
    if command -v tidy >/dev/null; then
        run tidy -q -e "$made.html"
        judge "tidy finds nothing in $made" [ "$status" = 0 ]
    else
        echo "skip  tidy is not installed"
    fi
}

lacks() {
    ! grep -qiE "$2" "$1"
}

# ---- the browser

# What is wrong with the page as it is shown, a line each; "fine" where nothing is.
watcher='<script>
addEventListener("load", () => {
  const wrong = new Set(), page = document.documentElement;
  if (page.scrollWidth > innerWidth) wrong.add(`the page is ${page.scrollWidth} wide in a window of ${innerWidth}`);
  const numbers = colour => {
    const n = colour.match(/[\d.]+/g).map(Number), unit = colour.startsWith("color(") ? 1 : 255;
    return { rgb: n.slice(0, 3).map(v => v / unit), alpha: n.length > 3 ? n[3] : 1 };
  };
  const light = rgb => rgb.map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (; element; element = element.parentElement) {
      const back = numbers(getComputedStyle(element).backgroundColor);
      if (back.alpha > 0) return back.rgb;
    }
    return [1, 1, 1];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = texts.nextNode());) {
    const element = node.parentElement, style = getComputedStyle(element);
    if (!node.data.trim() || !element.getClientRects().length || element.tagName == "SCRIPT") continue;
    const size = parseFloat(style.fontSize), both = [light(numbers(style.color).rgb), light(behind(element))].sort((a, b) => b - a);
    const contrast = (both[0] + 0.05) / (both[1] + 0.05), text = node.data.trim().slice(0, 40);
    if (size < 11) wrong.add(`${size} px: ${text}`);
    if (contrast < 4.5) wrong.add(`contrast ${contrast.toFixed(2)}: ${text}`);
  }
  document.title = "verdict: " + ([...wrong].slice(0, 5).join("; ") || "fine");
});
</script>'

chromium_on() {
    chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --enable-logging=stderr --virtual-time-budget=3000 "$@" 2>chromium.err
}

# show NAME WIDTH light|dark
show() {
    dark=
    [ "$3" = light ] || dark=--blink-settings=preferredColorScheme=0
    [ -z "${KEEP:-}" ] || chromium_on $dark --window-size="$2,4000" --screenshot="$KEEP/$1-$2-$3.png" "file://$PWD/$1.html" >/dev/null
    # Headless Chromium has no window narrower than 500 pixels: a frame of that width has.
    printf '<!DOCTYPE html><meta charset="utf-8"><body style="margin:0"><iframe id="f" width="%s" height="3000" style="border:0" src="watched.html"></iframe><script>addEventListener("load", () => setTimeout(() => document.title = document.getElementById("f").contentDocument.title, 500))</script>' "$2" >frame.html
    { cat "$1.html"; echo "$watcher"; } >watched.html
    chromium_on $dark --allow-file-access-from-files --window-size="$(($2 > 500 ? $2 : 500)),3000" --dump-dom "file://$PWD/frame.html" >out
    sed -n 's/.*<title>verdict: \(.*\)<\/title>.*/\1/p' out >err
    judge "$1 at $2 pixels, $3: $(cat err)" [ "$(cat err)" = fine ]
    judge "$1 at $2 pixels, $3: the console is empty" lacks chromium.err 'CONSOLE'
}

print_page() {
    chromium_on --print-to-pdf="$PWD/$1.pdf" "file://$PWD/$1.html" >/dev/null
    judge "$1 is printed" [ "$(head -c 4 "$1.pdf")" = %PDF ]
    [ -z "${KEEP:-}" ] || cp "$1.pdf" "$KEEP"
}

make_runs
page well "<b>quick & well"
page three "<b>quick & well" slow adam
page diverged diverged
page thousand thousand
page two adam
if [ -n "$browser" ]; then
    for shown in well three diverged thousand two; do
        for width in 1400 800 380; do
            for colours in light dark; do show $shown $width $colours; done
        done
        print_page $shown
    done
fi
echo
echo "$count checks${failed:+, of which these failed:}${failed:-, all right}"
[ -z "$failed" ]
