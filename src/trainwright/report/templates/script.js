"use strict";
// A dash sorts last, whichever way.
const value = (row, at) => {
  const text = row.cells[at].textContent.trim();
  const number = parseFloat(text.replace(/,/g, ""));
  return row.cells[at].classList.contains("n") ? number : text;
};
const compare = (a, b) => typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true });
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  heads.forEach((head, at) => {
    const button = head.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].map((row) => [value(row, at), row]);
      const missing = ([key]) => key === "–" || Number.isNaN(key);
      rows.sort((a, b) => missing(a) - missing(b) || (down ? -1 : 1) * (missing(a) ? 0 : compare(a[0], b[0])));
      body.append(...rows.map((pair) => pair[1]));
    });
  });
}
for (const filter of document.querySelectorAll("input.filter")) {
  const rows = [...filter.nextElementSibling.querySelectorAll("tbody tr")];
  filter.addEventListener("input", () => {
    const wanted = filter.value.toLowerCase();
    for (const row of rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
  });
}
// Paper cannot be unfolded.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
