"""Google: Gemini and Vertex (generateContent, as events and as an array), and Interactions."""
