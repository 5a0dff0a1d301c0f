#!/bin/sh
# side.sh CAMERA.y4m QUERY: one headless Chromium on the call page until the page says that it is done. The sound beside the
# camera file (.wav) is its microphone. A shell script, so that nothing but the browser costs memory in the namespace.
camera=$1 query=$2
profile=$(mktemp -d)
${CHROMIUM:-chromium} --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
  --disable-component-update --disable-sync --user-data-dir="$profile" --window-size=1300,840 \
  --use-fake-device-for-media-stream --use-fake-ui-for-media-stream \
  --use-file-for-fake-video-capture="$camera" --use-file-for-fake-audio-capture="${camera%.y4m}.wav" \
  --autoplay-policy=no-user-gesture-required --disable-features=WebRtcHideLocalIpsWithMdns \
  --unsafely-treat-insecure-origin-as-secure="http://$RIG_SERVER_IP:8080" \
  "http://$RIG_SERVER_IP:8080/call.html?side=$RIG_SIDE&seconds=$RIG_SECONDS&$query" &
browser=$!
trap 'kill $browser; rm -rf "$profile"; exit 1' TERM INT
while [ ! -e "$RIG_OUT/done" ] && kill -0 $browser 2>/dev/null; do sleep 1 & wait $!; done
kill $browser 2>/dev/null
wait $browser 2>/dev/null
rm -rf "$profile"
