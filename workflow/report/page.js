"use strict";
function draw(chart) {
  const specification = JSON.parse(document.getElementById(chart.dataset.of).textContent);
  vegaEmbed(chart, specification, { renderer: "svg", actions: false });
}

// In view, or soon: all at once would keep the page from answering.
const seen = new IntersectionObserver(
  (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
    seen.unobserve(entry.target);
    draw(entry.target);
  }),
  { rootMargin: "400px" },
);

document.querySelectorAll(".interactive").forEach((part) => {
  part.hidden = false;
  seen.observe(part.querySelector(".chart"));
});

// What is no number is below all.
const number = (text) => Number(text.trim().replace(/^(-?)inf$/, `$1${Number.MAX_VALUE}`) || NaN);
const place = (text) => (Number.isNaN(number(text)) ? -Number.MAX_VALUE : number(text));
Tablesort.extend("number", (text) => !Number.isNaN(number(text)), (one, other) => place(other) - place(one));

document.querySelectorAll("table").forEach((table) => {
  table.querySelectorAll("thead th").forEach((head) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
  });
  new Tablesort(table);
});

document.querySelectorAll("details.data").forEach((data) => {
  const label = document.createElement("label"), input = document.createElement("input");
  input.type = "search";
  label.append("rows with ", input);
  data.querySelector(".scroll").before(label);
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    data.querySelectorAll("tbody tr").forEach((row) => {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    });
  });
});

document.querySelectorAll("form.choose").forEach((form) => {
  const articles = [...form.nextElementSibling.children], lists = [...form.elements];
  function offer(list, among) {
    const before = list.value, options = new Map(among.map((one) => [one.dataset[list.name], one.dataset[`${list.name}Label`]]));
    list.replaceChildren(...[...options].map(([value, label]) => new Option(label, value)));
    if (options.has(before)) list.value = before;
  }
  function choose() {
    let left = articles;
    for (const list of lists) {
      offer(list, left);
      left = left.filter((one) => one.dataset[list.name] === list.value);
    }
    articles.forEach((one) => (one.hidden = !left.includes(one)));
  }
  form.hidden = false;
  form.addEventListener("change", choose);
  choose();
});
