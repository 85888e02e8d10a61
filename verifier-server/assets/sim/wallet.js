// Closes the wallet's window when there is nothing left to do in it. Only a window that a page has
// opened can be closed; any other one keeps its sentence. The form gives the windows that it opens a
// name of its own, and takes their way back to it (`opener`) away.
"use strict";

(() => {
  if (!window.name.startsWith("sealpay-")) return;
  const button = document.querySelector("button.close");
  button.hidden = false;
  button.addEventListener("click", () => window.close());
  // Long enough to read what happened.
  if ("close" in button.dataset) setTimeout(() => window.close(), 3000);
})();
