"""How the page looks: one theme, light and dark, with the fonts that every system has."""

import gradio as gr
from gradio.themes import Color, sizes

INK = Color("#f4f6f8", "#e8ecf0", "#d5dbe2", "#b3bdc9", "#8492a3", "#5d6b7c", "#46525f", "#333d48", "#222a33",
            "#171d24", "#0f1318")  # fmt: skip
TEAL = Color("#e9f8f5", "#c9efe8", "#98dfd4", "#5fcabb", "#2fb0a0", "#139484", "#0b776b", "#0b5f57", "#0d4c46",
             "#0d3f3b", "#052624")  # fmt: skip
SYSTEM = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Liberation Sans", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Consolas", "Liberation Mono", "monospace")


def theme() -> gr.themes.Base:
    """Slate and teal, large type, few lines."""
    base = gr.themes.Base(
        primary_hue=TEAL, secondary_hue=TEAL, neutral_hue=INK, font=SYSTEM, font_mono=MONO,
        radius_size=sizes.radius_lg, text_size=sizes.text_md, spacing_size=sizes.spacing_md,
    )  # fmt: skip
    return base.set(
        body_background_fill="#f7f8fa",
        body_background_fill_dark="#10151a",
        block_background_fill="#ffffff",
        block_background_fill_dark="#182027",
        block_border_color="*neutral_200",
        block_border_color_dark="#2b3640",
        block_label_background_fill="#ffffff",
        block_label_background_fill_dark="#182027",
        block_label_border_width="0px",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_300",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
        block_shadow="0 1px 2px rgba(15, 25, 35, .05)",
        block_shadow_dark="none",
        input_background_fill="#ffffff",
        input_background_fill_dark="#121a20",
        input_border_color="*neutral_300",
        input_border_color_dark="#36424d",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#ffffff",
        button_secondary_background_fill="*neutral_100",
        button_secondary_background_fill_hover="*neutral_200",
        button_secondary_background_fill_dark="#24303a",
        button_secondary_background_fill_hover_dark="#2e3c48",
        checkbox_label_background_fill="*neutral_50",
        checkbox_label_background_fill_hover="*neutral_100",
        checkbox_label_background_fill_dark="#202b34",
        checkbox_label_background_fill_hover_dark="#2a3742",
        checkbox_label_border_width="1px",
        checkbox_label_background_fill_selected="*primary_50",
        checkbox_label_background_fill_selected_dark="*primary_900",
        checkbox_label_border_color_selected="*primary_500",
        checkbox_border_color_dark="#7c8b99",
        checkbox_background_color_dark="#10171d",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_300",
    )


ICON = (
    "<link rel='icon' href=\"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>"
    "<rect width='32' height='32' rx='8' fill='%230b776b'/><path d='M8 13a9 9 0 0 1 15-3m1 9a9 9 0 0 1-15 3' "
    "fill='none' stroke='white' stroke-width='3' stroke-linecap='round'/><path d='M24 5v6h-6zM8 27v-6h6z' "
    "fill='white'/></svg>\">"
)
# Not in CSS, whose selectors gradio confines to its own part of the page, for it is the body that has these classes.
ABILITIES = (
    "<style>#copy-both, #share-both { display: none }"
    ".copies #copy-both, .shares #share-both { display: inline-flex }</style>"
)
CSS = """
.gradio-container { max-width: 1120px !important; width: 100%; margin: 0 auto !important; }
.gradio-container { padding: 24px 20px 32px !important; }
.gradio-container > .main, .gradio-container > .main > .wrap { padding: 0 !important; }
#head .html-container, #pad .html-container { padding: 0; }
#head { align-items: center; flex-wrap: nowrap; gap: 8px; }
#head h1 { font-size: 1.6rem; margin: 0 0 2px; letter-spacing: -.01em; }
#head p { margin: 0; color: var(--body-text-color-subdued); }
#lights { flex: 0 0 auto; min-width: 0 !important; width: 42px; height: 42px; padding: 0; border-radius: 50%;
  font-size: 18px; }
footer .divider { display: none !important; }
.note p { color: var(--body-text-color-subdued); font-size: .95rem; margin: 2px 0; }
.words p { font-size: 1rem; line-height: 1.5; }
.words .pending, .note .pending { opacity: 1 !important; }
#directions .wrap { gap: 8px; }
#directions label { font-size: 1.02rem; }
.one-row, .one-row .grid-wrap, #imagined .grid-wrap { height: auto !important; min-height: 0 !important;
  max-height: none; }
.one-row .grid-wrap, #imagined .grid-wrap { padding-top: 30px; }
.one-row .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)) !important; }
#offers .grid-container { grid-template-columns: repeat(5, minmax(0, 1fr)) !important; }
#imagined .grid-container { grid-template-columns: repeat(auto-fill, minmax(76px, 1fr)) !important; }
#imagined img, #walk img, #board img { image-rendering: pixelated; }
#translator input, #generator input, #run input { padding-right: 26px; text-overflow: ellipsis; }
button[role=tab].selected { color: var(--primary-700) !important; }
.dark button[role=tab].selected { color: var(--primary-300) !important; }
.prose table { width: 100%; border: 0; }
.prose tr, .prose td { border: 0 !important; }
.prose td { border-bottom: 1px solid var(--border-color-primary) !important; }
.prose td { vertical-align: top; padding: 7px 0; overflow-wrap: break-word; }
.prose td:last-child { overflow-wrap: anywhere; }
.prose td:first-child { white-space: nowrap; color: var(--body-text-color-subdued); padding-right: 18px; }
.prose thead { display: none; }
@media (max-width: 640px) {
  .gradio-container { padding: 14px 14px 24px !important; }
  .tab-container button { padding: 0 9px !important; }
  #directions .wrap { flex-wrap: nowrap; }
  #directions label { padding: 8px; font-size: .95rem; }
  #head h1 { font-size: 1.3rem; }
  #given { height: 280px !important; }
  #both > .column { display: contents; }
  #both > .column > * { width: 100%; }
  #colours-panel, #go, #fine, #part, #back, #cycle { order: 1; }
  #board-draw > .column { display: contents; }
  #board-draw > .column > * { width: 100%; }
  #made { order: -1; height: 190px !important; }
  .prose tr, .prose td { display: block; width: 100%; }
  .prose td:first-child { border: 0 !important; padding-bottom: 0; font-size: .9rem; }
  .prose td:last-child { padding-top: 2px; }
  .prose code { white-space: pre-wrap; overflow-wrap: anywhere; }
}
"""
