// Writes the base URL of programs, which depends on the address of this page.
document.getElementById("base-url").textContent = new URL("v1", document.baseURI).href;
