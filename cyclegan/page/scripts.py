"""What the page does in the browser by itself: JavaScript, as gradio's events take it."""

SWITCH = "() => localStorage.setItem('scheme', document.body.classList.toggle('dark') ? 'dark' : 'light')"
REMEMBERED = """() => {
  const scheme = localStorage.getItem('scheme');
  if (scheme) document.body.classList.toggle('dark', scheme === 'dark');
}"""
ADDRESS = """(translator, direction) => {
  const address = new URL(location);
  if (translator) address.searchParams.set('translator', translator);
  if (direction) address.searchParams.set('direction', direction);
  history.replaceState(null, '', address);
}"""

# The brush listens.
ARRIVING = "() => { document.dispatchEvent(new Event('arriving')); }"
ANSWERED = """() => {
  if (!document.querySelector('#cancel')) document.dispatchEvent(new Event('answered'));
}"""

# Only pages from this machine or by https may use the clipboard, and few computers but most phones can share files.
ABLE = """() => {
  const some = [new File([], 'picture.jpg', {type: 'image/jpeg'})];
  document.body.classList.toggle('copies', !!(navigator.clipboard?.write && window.ClipboardItem));
  document.body.classList.toggle('shares', !!navigator.canShare?.({files: some}));
}"""
# A clipboard takes PNG alone. The button says for a while what became of it.
COPY = """async (file) => {
  const button = document.querySelector('#copy-both');
  const png = async () => {
    const picture = await createImageBitmap(await (await fetch(file.url)).blob());
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    canvas.getContext('2d').drawImage(picture, 0, 0);
    return canvas.convertToBlob({type: 'image/png'});
  };
  let said = 'Copied';
  try {
    await navigator.clipboard.write([new ClipboardItem({'image/png': png()})]);
  } catch (error) {
    said = 'The browser did not allow it';
  }
  const before = button.textContent;
  button.textContent = said;
  setTimeout(() => { button.textContent = before; }, 2000);
}"""
SHARE = """async (file) => {
  const blob = await (await fetch(file.url)).blob();
  const name = file.orig_name || 'before_and_after.jpg';
  try {
    await navigator.share({files: [new File([blob], name, {type: blob.type})]});
  } catch (error) {
    if (error.name !== 'AbortError') throw error;  // closed without sharing
  }
}"""
