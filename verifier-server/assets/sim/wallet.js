// Closes the wallet's window when there is nothing left to do in it. Only a window that a page has
// opened can be closed; any other one keeps its sentence.
"use strict";

(() => {
  if (!window.opener) return;
  const button = document.querySelector("button.close");
  button.hidden = false;
  button.addEventListener("click", () => window.close());
  // Long enough to read what happened.
  if ("close" in button.dataset) setTimeout(() => window.close(), 3000);
})();
