// The manifest that `init` writes when it is given nothing to start from: small, needs no file, and shows each idea once.

export const EXAMPLE = `version: 1
name: my catalog
budget: { max: 5.00 } # USD; a run stops before it could cost more

# \${light} in any text stands for this: one change here changes every picture that says it.
vars:
  light: soft north-window light from the left, one long natural shadow

defaults:
  model: nano-banana-2 # \`proofsheet models\` lists models, sizes and prices
  size: 1K

# \`proofsheet run --profile draft\` makes small ones first; a draft never replaces a final picture.
profiles:
  draft: { size: 512 }

items:
  # Two products, two views each: packshot/mug/front, packshot/mug/three-quarter, packshot/lamp/front, …
  packshot:
    aspect: 4:5
    matrix:
      product:
        mug: { name: stoneware mug in an oat glaze }
        lamp: { name: brass table lamp with a linen shade }
      view: [front, three-quarter]
    # With a photograph of each product the pictures show the real one:
    #   refs: [{ image: "./photos/\${product}.jpg", as: photo }]
    # and in the prompt: keep the object of \${image.photo} exactly.
    prompt: >
      Studio packshot of a \${product.name}, \${view} view, before a seamless warm off-white backdrop; \${light}.
      The object fills two thirds of the height, everything in focus, no text.

  # Made from the pictures above, two tries each: at-home/mug and at-home/mug#2.
  # \`proofsheet pick at-home/mug#2\` says which one is used.
  at-home:
    aspect: 3:2
    samples: 2
    matrix:
      product:
        mug: { place: on an oak sideboard beside two linen-bound books }
        lamp: { place: on a bedside table at dusk and switched on }
    refs:
      - { from: "packshot/\${product}/front", as: product }
    prompt: >
      Editorial interior photograph: the exact object from \${image.product} \${product.place}; true scale, \${light}.
`
