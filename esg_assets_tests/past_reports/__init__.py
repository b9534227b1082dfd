"""Past reports again: `report reproduce`, `report account` and `report diff`, as their users meet them."""
