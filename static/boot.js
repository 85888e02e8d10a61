// Starts the widget. It is a file of its own because the document allows no inline script.
// Everything is resolved against this file, so a versioned folder stays one.

const here = import.meta.url;

try {
  const widget = await import(new URL('./sealpay-widget.js', here).href);
  await widget.default({ module_or_path: new URL('./sealpay-widget_bg.wasm', here) });
} catch (error) {
  console.error('The payment form could not start.', error);
  document.getElementById('skeleton')?.remove();
  document.getElementById('failure')?.removeAttribute('hidden');
}
