"""Streamlit pieces that several pages share; every piece reads, calls and draws, and decides nothing."""
