// The film of a champion's ancestors: one drawing shows, the others wait.
"use strict";

class Descent {
  /** @param pictures per ancestor `generation`, `words`, `news` and `network`; the champion is the last. */
  constructor(pictures) {
    this.pictures = pictures;
    this.figures = pictures.map((_, place) => document.querySelector(`[data-picture="${place}"]`));
    this.slider = document.getElementById("generation");
    this.last = pictures.length - 1;
  }

  /** Return the place of who lived in a generation: the youngest born by then. */
  place(generation) {
    return Math.max(0, this.pictures.findLastIndex((picture) => picture.generation <= generation));
  }

  show(place) {
    this.figures.forEach((figure, other) => figure.toggleAttribute("hidden", other !== place));
    if (!this.slider) return;
    const { words, news } = this.pictures[place];
    this.slider.value = place;
    this.slider.setAttribute("aria-valuetext", words);
    document.getElementById("ancestor").textContent = words;
    document.getElementById("news").textContent = news;
  }

  drawing(place) {
    return this.figures[place].querySelector("svg");
  }
}
